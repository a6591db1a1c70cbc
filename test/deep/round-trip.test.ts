/** Random entries survive an export and an import. */

import fc from "fast-check";
import { describe, expect, inject, it } from "vitest";
import { ask, bucket, jsonOf, post } from "../support/http.ts";
import { anyText } from "../support/any-text.ts";

const exported = async (b: string): Promise<string> => (await ask(`${b}/export`)).text();
const imported = (b: string, body: string): Promise<Response> => ask(`${b}/import`, { method: "POST", body });

describe("export, import, export", () => {
  it("is the same, whatever the entries are", async () => {
    const value = fc.oneof(
      anyText(),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.slice()),
    );
    const entry = fc.record({
      key: anyText({ minLength: 1, maxLength: 8 }).filter((text) => !text.includes("\0")),
      value,
      type: fc.constantFrom(undefined, "application/json", "text/plain; charset=utf-8", "image/x"),
      metadata: fc.option(fc.jsonValue({ maxDepth: 2, stringUnit: "grapheme-ascii" }), { nil: undefined }),
      ttl: fc.constantFrom(undefined, 1_000),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 8 }), async (entries) => {
        run += 1;
        const [one, other] = [await bucket(`round ${run}`), await bucket(`trip ${run}`)];
        const operations = entries.map(({ key, value: bytes, ...rest }) => ({
          op: "put",
          key,
          ...(typeof bytes === "string" ? { value: bytes } : { base64: bytes.toBase64() }),
          ...rest,
        }));
        await post(`${one}/batch`, operations);
        const first = await exported(one);
        expect(first.split("\n").length - 1).toBe(new Set(entries.map(({ key }) => key)).size);
        expect(await jsonOf(await imported(other, first))).toMatchObject({ failed: 0 });
        expect(await exported(other)).toBe(first);
        expect(await jsonOf(await imported(other, first))).toMatchObject({ imported: 0 });
      }),
      { numRuns: inject("sizes").roundTrips, seed: inject("seed") },
    );
  });
});
