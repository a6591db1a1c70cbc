/** The store: the server's own few requests, the check of conditional writes, and leases. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LEASES, isIdOf, parseLease } from "../../../src/serve/cluster/layout.ts";
import { leasesIn, releaseLease } from "../../../src/serve/cluster/leases.ts";
import { checkConditionalWrites } from "../../../src/serve/cluster/store-check.ts";
import { Store } from "../../../src/serve/cluster/store.ts";
import { fetchUnchecked } from "../../e2e/support/checked-fetch.ts";
import { S3_BUCKET, S3_KEYS, S3Server } from "../../e2e/support/s3/server.ts";

let s3: S3Server;
beforeAll(async () => void (s3 = await S3Server.start()));
afterAll(() => s3.stop());
afterEach(() => s3.mend());

function storeOf({ bucket = S3_BUCKET, prefix = "p", keys = S3_KEYS, endpoint = s3.endpoint } = {}): Store {
  const credentials = { file: undefined, read: () => keys };
  return new Store({ endpoint, region: "us-east-1", bucket, prefix, credentials }, fetchUnchecked);
}
const OTHER_KEYS = { accessKeyId: "nobody", secretAccessKey: "none" };

async function listed(store: Store, prefix: string, folders = false): Promise<string[]> {
  const names: string[] = [];
  for await (const page of store.list(prefix, { folders })) names.push(...page.keys, ...page.folders);
  return names;
}

describe("the store", () => {
  it("keeps what is put, below its prefix, until it is deleted", async () => {
    const store = storeOf();
    expect(await store.put("a/b & c", "text")).toBe(true);
    expect(s3.objects.keys("p/")).toContain("p/a/b & c");
    expect((await store.get("a/b & c"))?.text).toBe("text");
    await store.delete("a/b & c");
    expect(await store.get("a/b & c")).toBeUndefined();
    await store.delete("a/b & c");
  });

  it("lists more than a page, and folders", async () => {
    const store = storeOf({ prefix: "many" });
    await Promise.all(Array.from({ length: 1_100 }, (_, n) => store.put(`k/${n % 7}/${n}`, "")));
    expect(new Set(await listed(store, "k/")).size).toBe(1_100);
    expect(await listed(store, "k/", true)).toEqual(Array.from({ length: 7 }, (_, n) => `k/${n}/`));
  });

  it("writes under a condition only if that holds", async () => {
    const store = storeOf({ prefix: "conditions" });
    expect(await store.put("k", "1", { ifNoneMatch: "*" })).toBe(true);
    expect(await store.put("k", "2", { ifNoneMatch: "*" })).toBe(false);
    const { etag = "" } = (await store.get("k")) ?? {};
    expect(await store.put("k", "3", { ifMatch: etag })).toBe(true);
    expect(await store.put("k", "4", { ifMatch: etag })).toBe(false);
    expect(await store.put("none", "5", { ifMatch: etag })).toBe(false);
    expect((await store.get("k"))?.text).toBe("3");
  });

  it.each([
    ["without such a bucket", { bucket: "other" }, "cluster_store_no_bucket"],
    ["with other credentials", { keys: OTHER_KEYS }, "cluster_store_refused"],
    ["that is not there", { endpoint: "http://127.0.0.1:2" }, "cluster_store_unreachable"],
  ] as const)("is refused at the start: one %s", async (_, options, code) => {
    await expect(checkConditionalWrites(storeOf(options))).rejects.toThrow(`(${code})`);
  });

  it("is refused without conditional writes, or when it is full or ill, and nothing of the check stays in it", async () => {
    const store = storeOf({ prefix: "check" });
    await checkConditionalWrites(store);
    for (const [fault, code] of [
      ["unconditional", "cluster_store_unconditional"],
      ["two steps", "cluster_store_unconditional"],
      ["two steps to match", "cluster_store_unconditional"],
      ["slow down", "cluster_store_busy"],
      ["no match", "cluster_store_refused"],
      ["full", "cluster_store_full"],
      ["failing", "cluster_store_unreachable"],
      ["away", "cluster_store_unreachable"],
    ] as const) {
      s3.spoil(fault);
      await expect(checkConditionalWrites(store, { pauseMs: 1 })).rejects.toThrow(`(${code})`);
      s3.mend();
    }
    expect(s3.objects.keys("check/")).toEqual([]);
  });

  it("is taken although it asks to slow down now and then: some allow a key one write a second", async () => {
    s3.spoil("busy");
    await expect(
      checkConditionalWrites(storeOf({ prefix: "check" }), { pauseMs: 1 }),
    ).resolves.toBeUndefined();
    s3.mend();
    expect(s3.objects.keys("check/")).toEqual([]);
  });

  it("is left as it was when the check is given up", async () => {
    const over = new AbortController();
    const first = s3.next(({ kind }) => kind === "put");
    const checking = checkConditionalWrites(storeOf({ prefix: "check" }), { over: over.signal });
    await first;
    over.abort();
    await expect(checking).rejects.toThrow("aborted");
    expect(s3.objects.keys("check/")).toEqual([]);
  });
});

describe("the lease of a crashed engine", () => {
  const lease = (address: string): string =>
    `{"node":"n","address":"${address}","expires_ms":1795731017390,"instance":13392854446533535137,"draining":false}`;

  it("is released, with all else in it unchanged, and that of others is not", async () => {
    const store = storeOf({ prefix: "leases" });
    await store.put(`${LEASES}one.json`, lease("10.0.0.1:7000"));
    await store.put(`${LEASES}other.json`, lease("10.0.0.2:7000"));
    expect(await releaseLease(store, "10.0.0.1:7000")).toBe(true);
    expect((await store.get(`${LEASES}one.json`))?.text).toBe(
      lease("10.0.0.1:7000").replace("1795731017390", "0"),
    );
    expect((await store.get(`${LEASES}other.json`))?.text).toBe(lease("10.0.0.2:7000"));
    expect((await leasesIn(store)).map(({ expiresMs }) => expiresMs).toSorted((a, b) => a - b)).toEqual([
      0, 1795731017390,
    ]);
    expect(await releaseLease(store, "10.0.0.1:7000")).toBe(false);
    expect(await releaseLease(store, "10.0.0.9:7000")).toBe(false);
  });

  it("is left alone if two nodes have its address: which of them has crashed is not known", async () => {
    const store = storeOf({ prefix: "alike" });
    for (const name of ["one", "two"]) await store.put(`${LEASES}${name}.json`, lease("10.0.0.1:7000"));
    expect(await releaseLease(store, "10.0.0.1:7000")).toBe(false);
    expect((await leasesIn(store)).map(({ expiresMs }) => expiresMs)).toEqual([1795731017390, 1795731017390]);
  });

  it("is left alone if it is not in the form that is known", async () => {
    const store = storeOf({ prefix: "strange" });
    await store.put(`${LEASES}one.json`, '{"address":"10.0.0.1:7000"}');
    await store.put(`${LEASES}two.json`, "?");
    expect(await releaseLease(store, "10.0.0.1:7000")).toBe(false);
    expect(parseLease("[]")).toBeUndefined();
    expect(await leasesIn(store)).toEqual([]);
  });
});

it("the class of an object is known by its id", () => {
  const id = "0f18036ab5acddc5bc80a5b49be685a52649148bf8370139d1dbd64f61b5a440";
  expect(isIdOf("durable-kv-Bucket", id)).toBe(true);
  expect(isIdOf("durable-kv-Registry", id)).toBe(false);
  expect(isIdOf("durable-kv-Bucket", "0f18")).toBe(false);
});
