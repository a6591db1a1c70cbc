/** The service binding: the verbs of a bucket for another Worker, by RPC. */

import { describe, expect, it } from "vitest";
import type { Comparison, Once } from "../../src/binding/types.ts";
import { CHUNK_BYTES } from "../../src/model/limits.ts";
import { kv, refusal } from "../support/binding.ts";

describe("the service binding", () => {
  it("creates, looks up, lists and stops buckets", async () => {
    expect(await kv.create("bound", { restart: "temporary", metadata: { x: 1 } })).toMatchObject({
      name: "bound",
      restart: "temporary",
      metadata: { x: 1 },
      created: true,
    });
    expect(await kv.create("bound")).toMatchObject({ created: false });
    expect(await kv.lookup("bound")).toMatchObject({ name: "bound", entries: 0 });
    expect((await kv.buckets({ prefix: "bound" })).buckets).toMatchObject([{ name: "bound" }]);
    expect(await kv.exit("bound", "gone")).toBe(true);
    expect(await kv.lookup("bound")).toBeNull();
    expect(await kv.stop("bound")).toBe(false);
  });

  it("has the verbs of a bucket, in one round trip each", async () => {
    await kv.create("verbs");
    const bucket = kv.bucket("verbs");
    const { etag } = await bucket.put("milk", "1", { type: "text/x", ttl: 60, metadata: [1] });
    expect(await bucket.get("milk")).toBe("1");
    expect(await bucket.get("nothing")).toBeNull();
    expect(await bucket.getEntry("milk", "json")).toMatchObject({
      key: "milk",
      value: 1,
      etag,
      type: "text/x",
      metadata: [1],
    });
    expect(await bucket.put("milk", "2", { ifMatch: etag })).toMatchObject({ created: false, revision: 2 });
    expect((await refusal(() => bucket.put("milk", "3", { ifMatch: etag }))).message).toContain(
      "precondition_failed",
    );
    expect(await bucket.increment("milk", { by: 40 })).toMatchObject({ value: 42 });
    const once = { idempotencyKey: "k" };
    expect(await bucket.increment("n", {}, once)).toEqual(await bucket.increment("n", {}, once));
    expect(
      await bucket.transaction({
        if: [{ key: "n", integer: 1 }],
        then: [{ op: "put", key: "done", json: true }],
      }),
    ).toMatchObject({ succeeded: true });
    expect(await bucket.batch([{ op: "get", key: "done" }])).toMatchObject([{ found: true, value: "true" }]);
    expect((await bucket.list({ values: true, reverse: true })).keys).toMatchObject([
      { key: "n", value: "1" },
      { key: "milk", value: "42" },
      { key: "done", value: "true" },
    ]);
    expect(await bucket.delete("milk")).toBe(true);
    expect(await bucket.delete("milk")).toBe(false);
    expect(await bucket.deleteRange({ prefix: "" })).toBe(2);
  });

  it("reports errors with the code first", async () => {
    expect((await refusal(() => kv.bucket("verbs-nowhere").get("a"))).message).toContain(
      "bucket_not_found: There is no bucket",
    );
    expect((await refusal(() => kv.bucket("no blanks").get("a"))).message).toContain("bucket_name_invalid: ");
    expect(
      (await refusal(() => kv.create("wrong", { restart: "sometimes" as "temporary" }))).message,
    ).toContain("body_invalid: restart");
    await kv.create("verbs-wrong");
    expect((await refusal(() => kv.bucket("verbs-wrong").list({ limit: 0 }))).message).toContain(
      "query_invalid: limit",
    );
    expect((await refusal(() => kv.bucket("verbs-wrong").deleteRange({}))).message).toContain(
      "query_invalid: ",
    );
    expect(
      (await refusal(() => kv.bucket("verbs-wrong").transaction({ if: [{} as Comparison] }))).message,
    ).toContain("body_invalid: if[0]");
  });

  it("reports a missing argument with a code", async () => {
    await kv.create("verbs-nothing");
    const nothing = undefined as unknown as string;
    const once = null as unknown as Once;
    for (const [work, code] of [
      [() => kv.bucket("verbs-nothing").deleteRange({ prefix: "\ud83d" }), "query_invalid"],
      [() => kv.exit("verbs-nothing", nothing), "reason_invalid"],
      [() => kv.namespace(nothing).get("a"), "bucket_name_invalid"],
      [() => kv.bucket(nothing).get("a"), "bucket_name_invalid"],
      [() => kv.create(nothing), "bucket_name_invalid"],
      [() => kv.bucket("verbs-nothing").increment("n", {}, once), "body_invalid"],
      [() => kv.bucket("verbs-nothing").transaction({}, once), "body_invalid"],
    ] as const) {
      expect((await refusal(work)).message).toMatch(new RegExp(`^(KvError: )?${code}: `));
    }
    expect(await kv.bucket("verbs-nothing").get("n")).toBeNull();
  });

  it("stores and deletes exactly what it was given, or refuses", async () => {
    await kv.create("verbs-hostile");
    const bucket = kv.bucket("verbs-hostile");
    await bucket.put("kept", "1");
    const missing = undefined as unknown as string;
    expect((await refusal(() => bucket.deleteRange({ prefix: missing }))).message).toContain("query_invalid");
    for (const value of [5, true, { a: 1 }, [1], new Date(), null, undefined] as unknown as string[]) {
      expect((await refusal(() => bucket.put("a", value))).message).toContain("value_invalid");
      expect((await refusal(() => kv.namespace("verbs-hostile").put("a", value))).message).toContain(
        "value_invalid",
      );
    }
    for (const options of [
      { expirationTtl: 60 },
      { ttl: 0 },
      { ttl: "1" },
      { ifMatch: 5 },
      { type: 5 },
      null,
    ]) {
      expect((await refusal(() => bucket.put("a", "1", options as object))).message).toContain(
        "body_invalid",
      );
    }
    for (const key of [5, null, ["a"]] as unknown as string[]) {
      expect((await refusal(() => bucket.get(key))).message).toContain("key_invalid");
    }
    expect((await refusal(() => bucket.put("a", "1", { ttl: 5n as unknown as number }))).message).toContain(
      "body_invalid",
    );
    expect((await refusal(() => bucket.get("kept", "bytes" as "text"))).message).toContain("query_invalid");
    expect((await bucket.list()).keys.map(({ key }) => key)).toEqual(["kept"]);
  });

  it("serves the public pages too", async () => {
    for (const path of ["healthz", "openapi.json", "docs"]) {
      expect([path, (await kv.fetch(`https://kv/${path}`)).status]).toEqual([path, 200]);
    }
  });

  it("enforces its limits, whatever length a Worker announces", async () => {
    await kv.create("announced");
    const send = (path: string, method: string, bytes: number) =>
      kv.fetch(
        new Request(`https://kv/v1/buckets/announced/${path}`, {
          method,
          headers: { "Content-Length": "5" },
          body: new Blob([new Uint8Array(bytes)]).stream(),
        }),
      );
    expect((await send("keys/lie", "PUT", 3 * CHUNK_BYTES)).status).toBe(201);
    expect((await kv.bucket("announced").list({ values: true })).keys).toMatchObject([
      { key: "lie", size: 3 * CHUNK_BYTES },
    ]);
    expect((await kv.bucket("announced").list({ values: true })).keys[0]).not.toHaveProperty("base64");
    for (const [path, method, bytes, code] of [
      ["keys/lie", "PUT", 27 * CHUNK_BYTES, "value_too_large"],
      ["batch", "POST", 19 * CHUNK_BYTES, "body_too_large"],
    ] as const) {
      expect(await (await send(path, method, bytes)).json()).toMatchObject({ status: 413, code });
    }
  });

  it("serves the HTTP API to each bound Worker", async () => {
    const response = await kv.fetch("http://kv/v1/buckets/over-fetch", { method: "PUT" });
    expect(response.status).toBe(201);
    expect(await (await kv.fetch("http://kv/v1/buckets/over-fetch")).json()).toMatchObject({
      name: "over-fetch",
    });
    expect((await kv.fetch("http://kv/nothing")).status).toBe(404);
  });
});
