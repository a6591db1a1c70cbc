/** Refused requests over HTTP, which have changed nothing. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ask, bucket, codeOf, jsonOf, post, put } from "../support/http.ts";

/** A body of which only the beginning comes: its sender has no more to send, and does not say so. */
const unfinished = (begin: string): ReadableStream<Uint8Array> =>
  new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(begin)) });

describe("a request that is turned down", () => {
  it.each([
    ["DELETE", "", "If-Match"],
    ["PUT", "/keys/a", "Idempotency-Key"],
    ["DELETE", "/keys/a", "Idempotency-Key"],
    ["DELETE", "/keys?prefix=", "If-None-Match"],
    ["POST", "/batch", "Idempotency-Key"],
    ["POST", "/batch", "If-Match"],
    ["POST", "/transaction", "If-None-Match"],
    ["POST", "/import", "Idempotency-Key"],
    ["POST", "/exit", "Idempotency-Key"],
    ["DELETE", "", "If-Unmodified-Since"],
    ["PUT", "/keys/a", "If-Unmodified-Since"],
    ["DELETE", "/keys/a", "If-Unmodified-Since"],
    ["DELETE", "/keys?prefix=", "If-Unmodified-Since"],
    ["POST", "/keys/a/increment", "If-Unmodified-Since"],
    ["POST", "/batch", "If-Unmodified-Since"],
    ["POST", "/transaction", "If-Unmodified-Since"],
    ["POST", "/import", "If-Unmodified-Since"],
  ])("%s …%s with %s, which would not be heeded, has done nothing", async (method, path, header) => {
    const b = await bucket(`unheeded ${method} ${path.replaceAll(/\W/g, "-")} ${header}`);
    await put(`${b}/keys/a`);
    const response = await ask(`${b}${path}`, { method, headers: { [header]: '"1"' } });
    expect([response.status, await codeOf(response)]).toEqual([400, "header_invalid"]);
    expect(await jsonOf(await ask(b))).toMatchObject({ entries: 1, revision: 1, restarts: 0 });
  });

  it("for its query or its metadata is told of that, whichever way it asks", async () => {
    const b = await bucket("refused queries");
    for (const [path, init] of [
      [`${b}/keys/a?metadata=12345678901234567890123`, { method: "PUT", body: "1" }],
      [`${b}/keys/a?metadata=%7B`, { method: "PUT", body: "1" }],
      [`${b}?x=1`, {}],
    ] as const) {
      const response = await ask(path, init);
      expect([response.status, await codeOf(response)]).toEqual([400, "query_invalid"]);
    }
    expect((await ask(`${b}?x=1`, { method: "HEAD" })).status).toBe(400);
  });

  it.each(["garbage", '"1"'])("for a bucket's tag, which there is none: If-None-Match: %s", async (tag) => {
    const response = await ask("refused-tag", { method: "PUT", headers: { "If-None-Match": tag } });
    expect([response.status, await codeOf(response)]).toEqual([400, "header_invalid"]);
    expect((await ask("refused-tag")).status).toBe(404);
  });

  it("for what it announces is turned down before anything is made of it", async () => {
    const b = await bucket("announced");
    const { id } = await jsonOf<{ id: string }>(await ask(b));
    const headers = { "Content-Length": String(25 * 1_048_576 + 1) };
    const response = await put(`${b}/keys/a`, new Blob([new Uint8Array(3_000_000)]).stream(), headers);
    expect(await codeOf(response)).toBe("value_too_large");
    const chunks = await runInDurableObject(env.BUCKET.get(env.BUCKET.idFromString(id)), (_, { storage }) =>
      storage.sql.exec("SELECT count(*) AS n FROM chunks").one(),
    );
    expect(chunks).toEqual({ n: 0 });
  });

  it("is told what was wrong in few words, however long it was", async () => {
    const b = await bucket("long details");
    const long = "x".repeat(3_000_000);
    for (const operation of [`{"${long}":1}`, `{"op":"put","key":"a","json":1${"0".repeat(3_000_000)}}`]) {
      const response = await ask(`${b}/batch`, { method: "POST", body: `[${operation}]` });
      const { code, detail } = await response.json<{ code: string; detail: string }>();
      expect(code).toBe("body_invalid");
      expect(detail.length).toBeLessThanOrEqual(600);
    }
    const lines = `{"${long}":1}\n`.repeat(3);
    const report = await ask(`${b}/import?onError=continue`, { method: "POST", body: lines });
    expect((await report.text()).length).toBeLessThan(3_000);
  });

  it("and is still being sent is answered when nothing more comes", async () => {
    const b = await bucket("lingering");
    const imported = await ask(`${b}/import`, { method: "POST", body: unfinished("{}\n{") });
    expect(await imported.json()).toMatchObject({ code: "import_stopped", line: 1 });
    const value = await put(`${b}/keys/a`, unfinished("x"), { "If-Match": "no tag" });
    expect(await codeOf(value)).toBe("header_invalid");
  });

  it("while it is still being sent is answered at once: what refuses it is not asked again", async () => {
    // Its first chunk finds no bucket, and the third never comes.
    const response = await put("refused-nowhere/keys/a", unfinished("x".repeat(2_500_000)));
    expect([response.status, await codeOf(response)]).toEqual([404, "bucket_not_found"]);
  });

  it("is not one that is only nested deeply, with a key of idempotency as without", async () => {
    const b = await bucket("deep");
    const json = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    const body = `{"then":[{"op":"put","key":"a","json":${json}}]}`;
    const transact = (headers: Record<string, string>) =>
      ask(`${b}/transaction`, { method: "POST", body, headers });
    expect((await transact({})).status).toBe(200);
    const once = { "Idempotency-Key": "k" };
    const first = await transact(once);
    expect([first.status, (await transact(once)).headers.get("Idempotency-Replayed")]).toEqual([200, "true"]);
    expect(await jsonOf(await ask(b))).toMatchObject({ restarts: 0, entries: 1, revision: 2 });
  });
});

describe("a time to live", () => {
  it("is any decimal number, in a query as in a batch", async () => {
    const b = await bucket("ttl decimals");
    for (const ttl of [100 / 3, 1.0005, 0.1 + 0.2]) {
      expect((await put(`${b}/keys/a?ttl=${ttl}`)).ok).toBe(true);
      const { results } = await jsonOf<{ results: readonly object[] }>(
        await post(`${b}/batch`, [{ op: "put", key: "b", value: "1", ttl }]),
      );
      expect(results[0]).not.toHaveProperty("error");
    }
  });
});
