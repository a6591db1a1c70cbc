/** Pages of other origins: those that `KV_ORIGINS` lists use the service, others don't. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Kv, UnauthorizedError } from "../../src/client/index.ts";
import { pageFetch } from "../e2e/support/page-fetch.ts";
import { startServer, type RunningServer } from "../e2e/support/server.ts";

const APP = "https://app.example";
let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ environment: { KV_ORIGINS: APP, KV_TOKEN: "s3cret" } });
});
afterAll(() => server.stop());

describe("a page of a listed origin", () => {
  it("can use all of the client", async () => {
    const kv = new Kv({ url: server.http, token: "s3cret", fetch: pageFetch(APP) });
    await kv.create("page");
    const bucket = kv.bucket<Record<string, number>>("page");
    const written = await bucket.put("n", 1, { ttl: 60, metadata: { a: 1 } });
    expect(written).toMatchObject({ created: true, revision: 1 });
    expect(await bucket.entry("n")).toMatchObject({ etag: written.etag, metadata: { a: 1 }, revision: 1 });
    await bucket.put("n", 2, { ifMatch: written.etag });
    expect(await bucket.update("n", (value = 0) => value + 1)).toBe(3);
    expect(await bucket.increment("n", { idempotencyKey: "k" })).toMatchObject({ value: 4 });
    const values: unknown[] = [];
    for await (const change of bucket.watch({ snapshot: true })) {
      if (change.event === "entry") values.push(change.value);
      if (change.event === "end_of_snapshot") break;
    }
    expect(values).toEqual([4]);
    expect(await bucket.delete("n")).toBe(true);
  });

  it("reads errors and the public pages too", async () => {
    const stranger = new Kv({ url: server.http, fetch: pageFetch(APP) });
    await expect(stranger.bucket("page").get("n")).rejects.toBeInstanceOf(UnauthorizedError);
    expect((await pageFetch(APP)(`${server.http}/openapi.json`)).status).toBe(200);
  });

  it("can use unstorage's driver, with times to live", async () => {
    const page = pageFetch(APP);
    const url = `${server.http}/unstorage/page/item`;
    const headers = { Authorization: "Bearer s3cret", "X-TTL": "60" };
    expect((await page(url, { method: "PUT", body: "1", headers })).status).toBe(200);
    const { Authorization } = headers;
    expect((await page(url, { headers: { Authorization } })).headers.get("X-TTL")).toBe("60");
  });

  it("can read every header that the service sets", async () => {
    const { headers } = await fetch(`${server.http}/v1/buckets`, { headers: { Origin: APP } });
    const exposed = headers.get("Access-Control-Expose-Headers")?.split(", ");
    expect(exposed).toEqual(
      expect.arrayContaining([
        "ETag",
        "KV-Revision",
        "KV-Expires",
        "KV-Metadata",
        "Content-Range",
        "Retry-After",
      ]),
    );
    expect(headers.get("Vary")).toBe("Origin");
    expect(headers.get("Access-Control-Allow-Credentials")).toBeNull();
  });
});

describe("a page of another origin", () => {
  it("reads nothing and changes nothing, even with the token", async () => {
    const kv = new Kv({
      url: server.http,
      token: "s3cret",
      fetch: pageFetch("https://evil.example"),
      retries: 0,
    });
    await expect(kv.create("tricked")).rejects.toThrow();
    await expect(kv.lookup("page")).rejects.toThrow();
    const headers = { Authorization: "Bearer s3cret" };
    expect((await fetch(`${server.http}/v1/buckets/tricked`, { headers })).status).toBe(404);
  });

  it("gets the reason in the answer to its preflight", async () => {
    const response = await fetch(`${server.http}/v1/buckets/page`, {
      method: "OPTIONS",
      headers: { Origin: "https://evil.example", "Access-Control-Request-Method": "PUT" },
    });
    expect([response.status, await response.json()]).toMatchObject([403, { code: "origin_not_allowed" }]);
  });
});
