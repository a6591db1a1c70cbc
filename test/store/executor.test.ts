/** Batches: each operation by itself. */

import { describe, expect, it } from "vitest";
import type { BatchResults } from "../../src/contract/operations.ts";
import { call } from "../../src/otp/call.ts";
import { startBucket } from "../support/buckets.ts";

describe("a batch", () => {
  it("does each operation by itself, under its own condition", async () => {
    const bucket = await startBucket("batch operations", "cafe");
    const results = await call(() =>
      bucket.batch([
        { op: "put", key: "a", value: "1", properties: { metadata: '{"x":1}' } },
        { op: "put", key: "a", value: "2", properties: {}, conditions: { ifNoneMatch: "*" } },
        { op: "increment", key: "a", increment: { by: 2n }, conditions: { ifMatch: ["cafe-1"] } },
        { op: "increment", key: "n", increment: { by: 2n ** 62n } },
        { op: "get", key: "a" },
        { op: "get", key: "nothing" },
        { op: "delete", key: "a" },
        { op: "delete", key: "a" },
      ]),
    );
    expect(JSON.parse(results)).toMatchObject({
      results: [
        { op: "put", key: "a", created: true, revision: 1, etag: "cafe-1" },
        { op: "put", key: "a", error: { code: "precondition_failed" } },
        { op: "increment", value: 3, revision: 2, etag: "cafe-2" },
        { op: "increment", value: "4611686018427387904", created: true },
        { op: "get", found: true, value: "3", metadata: { x: 1 }, type: "text/plain; charset=utf-8" },
        { op: "get", found: false },
        { op: "delete", deleted: true },
        { op: "delete", deleted: false },
      ],
    });
  });

  it("answers as much as it may, and says of the rest that it does not", async () => {
    const bucket = await startBucket("batch too large");
    await call(() => bucket.put("a", "x".repeat(1_048_576)));
    const text = await call(() =>
      bucket.batch(Array.from({ length: 18 }, () => ({ op: "get", key: "a" }) as const)),
    );
    const { results } = JSON.parse(text) as BatchResults;
    expect(results.filter((result) => "found" in result)).toHaveLength(11);
    expect(results.at(-1)).toMatchObject({ error: { code: "result_too_large" } });
  });
});
