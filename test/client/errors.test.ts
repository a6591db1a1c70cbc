/** The client's errors: a class for each kind, with the service's code. */

import { describe, expect, it } from "vitest";
import type { KvError } from "../../src/client/index.ts";
import {
  BucketNotFoundError,
  IdempotencyKeyReusedError,
  InvalidRequestError,
  Kv,
  NotAnIntegerError,
  PreconditionFailedError,
  RevisionCompactedError,
  TooLargeError,
  UnauthorizedError,
} from "../../src/client/index.ts";
import { problem, scripted } from "../e2e/support/scripted-fetch.ts";
import { startServer } from "../e2e/support/server.ts";
import { bucketOf, kv } from "./support/shared-kv.ts";

describe("errors", () => {
  it("are classes by code", async () => {
    const bucket = await bucketOf("client-errors");
    await bucket.put("text", "much");
    for (const [work, Class] of [
      [() => kv.bucket("client-nowhere").get("a"), BucketNotFoundError],
      [() => kv.bucket("client-nowhere").has("a"), BucketNotFoundError],
      [() => bucket.put("text", "x", { ifNoneMatch: "*" }), PreconditionFailedError],
      [() => bucket.increment("text"), NotAnIntegerError],
      [() => bucket.put("k".repeat(2_000), 1), InvalidRequestError],
      [() => bucket.put("large", "x".repeat(27_000_000)), TooLargeError],
      [() => bucket.transaction({ then: [{ op: "increment", key: "text" }] }), NotAnIntegerError],
      [() => bucket.watch({ since: 99 }).next(), RevisionCompactedError],
    ] as const) {
      const error: unknown = await work().catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(Class);
      expect((error as KvError).outcomeUnknown).toBe(false);
    }
    await bucket.increment("n", { idempotencyKey: "k" });
    await expect(bucket.increment("n", { by: 2, idempotencyKey: "k" })).rejects.toBeInstanceOf(
      IdempotencyKeyReusedError,
    );
    const [refused] = await bucket.batch([{ op: "increment", key: "text" }]);
    expect(refused).toBeInstanceOf(NotAnIntegerError);
  });

  it("have their codes from has() too", async () => {
    const bucket = await bucketOf("client-errors-has");
    await expect(bucket.has("k".repeat(2_000))).rejects.toMatchObject({ code: "key_too_long" });
  });

  it("are classes for any code, even one that is a property of every object", async () => {
    for (const code of ["constructor", "toString", "__proto__"]) {
      const error: unknown = await scripted(problem(409, code))
        .kv.bucket("b")
        .put("a", 1)
        .catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(InvalidRequestError);
      expect(error).toMatchObject({ code, message: "as told" });
    }
  });

  it("report a missing token", async () => {
    const locked = await startServer({ environment: { KV_TOKEN: "s3cret" } });
    try {
      await expect(new Kv({ url: locked.http }).bucket("a").has("k")).rejects.toMatchObject({
        code: "unauthorized",
      });
      await expect(new Kv({ url: locked.http }).create("a")).rejects.toBeInstanceOf(UnauthorizedError);
      const open = new Kv({ url: locked.http, token: "s3cret" });
      await open.create("a");
      const session = open.bucket<Record<string, number>>("a").session();
      await session.bucket.put("x", 1);
      expect(await session.bucket.get("x")).toBe(1);
      session.close();
      const refused = new Kv({ url: locked.http, token: "wrong" }).bucket("a").session();
      await expect(refused.bucket.get("x")).rejects.toBeInstanceOf(UnauthorizedError);
      refused.close();
    } finally {
      await locked.stop();
    }
  });
});
