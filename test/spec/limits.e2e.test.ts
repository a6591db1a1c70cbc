/** The table of limits, over every transport: each with its code, and nothing stored. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer, type RunningServer } from "../e2e/support/server.ts";
import { transports } from "../e2e/support/transports.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
  await fetch(`${server.http}/v1/buckets/limits`, { method: "PUT" });
  // A counter at the end of its range, and a value that is none.
  await fetch(`${server.http}/v1/commands`, {
    method: "POST",
    body: `PUT limits max ${2n ** 63n - 1n}\nPUT limits word abc`,
  });
});
afterAll(() => server.stop());

const LONG_NAME = "n".repeat(257);
const LONG_KEY = "k".repeat(1_025);
/** More than travels whole; and more than a key may hold. */
const LARGE = "x".repeat(1_048_577);
const TOO_LARGE = new Uint8Array(25 * 1_048_576 + 1);

/** Nothing of what was turned down is there. */
async function expectUnchanged(): Promise<void> {
  const bucket: unknown = await (await fetch(`${server.http}/v1/buckets/limits`)).json();
  expect(bucket).toMatchObject({ entries: 2, revision: 2 });
  const { buckets } = (await (await fetch(`${server.http}/v1/buckets`)).json()) as { buckets: unknown[] };
  expect(buckets).toHaveLength(1);
}

describe.each(transports)("over $name", ({ open }) => {
  it.each([
    ["a bucket name that is too long", `CREATE ${LONG_NAME}`, "BUCKET_NAME_INVALID"],
    ["a bucket name with a slash", "CREATE a/b", "BUCKET_NAME_INVALID"],
    ["a bucket name with a blank", 'CREATE "a b"', "BUCKET_NAME_INVALID"],
    ["a bucket name that is not ASCII", "CREATE é", "BUCKET_NAME_INVALID"],
    ["a bucket name of dots", "CREATE ..", "BUCKET_NAME_INVALID"],
    ["an empty bucket name", 'CREATE ""', "BUCKET_NAME_INVALID"],
    ["an empty key", 'PUT limits "" 1', "KEY_INVALID"],
    ["a key with NUL", 'PUT limits "a\\u0000" 1', "KEY_INVALID"],
    ["a key that is no UTF-8", 'PUT limits base64:"/w==" 1', "KEY_INVALID"],
    ["a key that is too long", `PUT limits ${LONG_KEY} 1`, "KEY_TOO_LONG"],
    ["a key that is too long in UTF-8", `PUT limits ${"é".repeat(513)} 1`, "KEY_TOO_LONG"],
    ["a value that is too large", `PUT limits k ${LARGE}`, "VALUE_TOO_LARGE"],
    ["a quote that is not closed", 'PUT limits k "open', "QUOTING_INVALID"],
    ["half of a surrogate pair", 'PUT limits k "\\ud800"', "QUOTING_INVALID"],
    ["an increment that is no integer", "INCR limits k 1.5", "NOT_AN_INTEGER"],
    ["an increment of what is no integer", "INCR limits word", "NOT_AN_INTEGER"],
    ["an increment that overflows", "INCR limits max", "INCREMENT_OVERFLOW"],
  ])("%s", async (_, line, code) => {
    const conversation = await open(server);
    expect(await conversation.ask(`${line}\n`, 1)).toMatch(new RegExp(`^ERROR ${code} [^\\r\\n]+\\r\\n$`));
    conversation.close();
    await expectUnchanged();
  });
});

describe("over HTTP", () => {
  const PUT = { method: "PUT", body: "1" };
  it.each([
    [
      "a bucket name that is too long",
      `/v1/buckets/${LONG_NAME}`,
      { method: "PUT" },
      400,
      "bucket_name_invalid",
    ],
    ["a bucket name with a slash", "/v1/buckets/a%2Fb", { method: "PUT" }, 400, "bucket_name_invalid"],
    ["a bucket name with a blank", "/v1/buckets/a%20b", { method: "PUT" }, 400, "bucket_name_invalid"],
    ["a bucket name that is not ASCII", "/v1/buckets/%C3%A9", { method: "PUT" }, 400, "bucket_name_invalid"],
    ["a bucket name that is no UTF-8", "/v1/buckets/%FF", { method: "PUT" }, 400, "bucket_name_invalid"],
    ["an empty key", "/v1/buckets/limits/keys/", PUT, 400, "key_invalid"],
    ["a key with NUL", "/v1/buckets/limits/keys/a%00", PUT, 400, "key_invalid"],
    ["a key that is no UTF-8", "/v1/buckets/limits/keys/%FF", PUT, 400, "key_invalid"],
    ["a key that is badly encoded", "/v1/buckets/limits/keys/%zz", PUT, 400, "key_invalid"],
    ["a key64 that is no base64", "/v1/buckets/limits/keys?key64=!", PUT, 400, "key_invalid"],
    ["a key that is too long", `/v1/buckets/limits/keys/${LONG_KEY}`, PUT, 400, "key_too_long"],
    [
      "a key that is too long in UTF-8",
      `/v1/buckets/limits/keys/${"%C3%A9".repeat(513)}`,
      PUT,
      400,
      "key_too_long",
    ],
    [
      "a value that is too large",
      "/v1/buckets/limits/keys/k",
      { method: "PUT", body: TOO_LARGE },
      413,
      "value_too_large",
    ],
    [
      "a key that is too long, before a value that is sent all the same",
      `/v1/buckets/limits/keys/${"k".repeat(3_000)}`,
      { method: "PUT", body: TOO_LARGE.subarray(1) },
      400,
      "key_too_long",
    ],
    [
      "a value that grows too large",
      "/v1/buckets/limits/keys/k",
      { method: "PUT", body: new Blob([TOO_LARGE]).stream(), duplex: "half" as const },
      413,
      "value_too_large",
    ],
    [
      "a content type that is too long",
      "/v1/buckets/limits/keys/k",
      { ...PUT, headers: { "Content-Type": `text/${"x".repeat(300)}` } },
      400,
      "content_type_invalid",
    ],
    [
      "metadata that is too large",
      "/v1/buckets/m",
      { method: "PUT", body: JSON.stringify({ metadata: "x".repeat(1_024) }) },
      400,
      "metadata_too_large",
    ],
    [
      "too many commands at once",
      "/v1/commands",
      { method: "POST", body: new Uint8Array(17 * 1_048_576) },
      413,
      "body_too_large",
    ],
  ])("%s", async (_, path, init, status, code) => {
    const response = await fetch(`${server.http}${path}`, init);
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ status, code });
    expect(response.status).toBe(status);
    await expectUnchanged();
  });
});
