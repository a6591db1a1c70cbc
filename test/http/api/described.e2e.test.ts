/** Every endpoint, in the ways in which it answers: each answer is one that the description has. */

import { beforeAll, describe, expect, it } from "vitest";
import { server } from "../../e2e/support/shared-server.ts";
import { BUCKET_ASKS } from "./asks/buckets.ts";
import { HEAD, json, POST, put, remove, type Asks } from "./asks/ask.ts";
import { KEY_ASKS } from "./asks/keys.ts";
import { MANY_KEYS_ASKS } from "./asks/many-keys.ts";
import { SERVICE_ASKS } from "./asks/service.ts";

const ASKS: Asks = [...BUCKET_ASKS, ...KEY_ASKS, ...MANY_KEYS_ASKS, ...SERVICE_ASKS];

beforeAll(async () => {
  await fetch(`${server.http}/v1/buckets/described`, { method: "PUT", body: '{"metadata":{"x":[1]}}' });
  const store = (key: string, body: BodyInit, query = "", type = "text/plain"): Promise<Response> =>
    fetch(`${server.http}/v1/buckets/described/keys/${key}${query}`, {
      method: "PUT",
      body,
      headers: { "Content-Type": type },
    });
  await store("full", "é", '?ttl=60&metadata={"a":1}');
  await store("bytes", new Uint8Array([255]), "", "image/png");
  await store("json", '{"a":1}', "", "application/json");
  await store("large", new Uint8Array(1_048_577));
  await store("word", "abc");
  await store("ticket", "7", "?metadata=1&ttl=60");
  await store("count", "41");
  await store("max", String(2n ** 63n - 1n));
});

describe.each(ASKS)("%s", (_, path, asks) => {
  it.each(
    asks.map(([rest, init, status]) => ({
      title: `${init.method ?? "GET"} ${path}${rest}`.slice(0, 80),
      url: path + rest,
      init,
      status,
    })),
  )("answers $title with $status", async ({ url, init, status }) => {
    const abort = new AbortController();
    const response = await fetch(server.http + url, { ...init, signal: abort.signal });
    expect(response.status).toBe(status);
    // Some of what is answered would never end.
    abort.abort();
  });
});

describe("a call about a bucket", () => {
  it.each([
    ["keys", {}],
    ["keys?prefix=", remove()],
    ["keys/k", {}],
    ["keys/k", HEAD],
    ["keys/k", put()],
    ["keys/k", put({}, new Uint8Array(2_000_000))],
    ["keys/k", remove()],
    ["keys/k/increment", POST],
    ["batch", json([])],
    ["transaction", json({})],
    ["watch", {}],
    ["export", {}],
    ["import", { ...POST, body: "{}" }],
    ["exit", json({ reason: "boom" })],
  ] as const)("is 404 where there is none: %s", async (rest, init) => {
    expect((await fetch(`${server.http}/v1/buckets/described-none/${rest}`, init)).status).toBe(404);
  });
});

describe("the description", () => {
  it("has no operation that is not tried here", async () => {
    const { paths } = (await (await fetch(`${server.http}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    const ids = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    const asked = ASKS.flatMap(([id, , asks]) => {
      const head = asks.some(([, init]) => init === HEAD) ? `${id}Head` : id;
      return ids.includes(head) ? [...new Set([id, head])] : [id];
    });
    expect(asked.toSorted()).toEqual(ids.toSorted());
  });
});
