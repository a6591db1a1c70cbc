/** Deleting what was used, and nothing else. */

import { describe, expect, it } from "vitest";
import { useAndDelete } from "../../src/directory/use-and-delete.ts";
import type { FoundRead } from "../../src/directory/stored-value.ts";
import { KvError, preconditionFailed } from "../../src/model/errors.ts";

const found = (etag: string): FoundRead => ({ outcome: "found", etag }) as FoundRead;

/** A key that other callers change `times` times between the read and the deletion. */
function contended(times: number) {
  const deleted: unknown[] = [];
  let changes = 0;
  return {
    deleted,
    keys: {
      get: async () => found(`v${changes}`),
      delete: async (_: string, conditions: unknown) => {
        if (changes === times) return deleted.push(conditions);
        changes += 1;
        throw preconditionFailed();
      },
    },
  };
}

describe("useAndDelete", () => {
  it("uses the new value if the key changes meanwhile, and deletes the one that was used last", async () => {
    const { keys, deleted } = contended(2);
    const used: string[] = [];
    const result = await useAndDelete(keys, "k", {}, async ({ etag }) => used.push(etag));
    expect([result, used, deleted]).toEqual([3, ["v0", "v1", "v2"], [{ ifMatch: ["v2"] }]]);
  });

  it("uses the new value if the old one is replaced while it is read", async () => {
    const { keys } = contended(0);
    let reads = 0;
    const use = async (): Promise<string> => {
      reads += 1;
      if (reads === 1) throw new KvError("key_not_found", "replaced");
      return "whole";
    };
    expect(await useAndDelete(keys, "k", {}, use)).toBe("whole");
  });

  it("deletes nothing if the value can't be used", async () => {
    const { keys, deleted } = contended(0);
    const use = (): Promise<never> => Promise.reject(new KvError("value_invalid", "no JSON"));
    await expect(useAndDelete(keys, "k", {}, use)).rejects.toMatchObject({ code: "value_invalid" });
    expect(deleted).toEqual([]);
  });

  it("gives up after a hundred attempts", async () => {
    const { keys, deleted } = contended(Infinity);
    await expect(useAndDelete(keys, "k", {}, async () => 1)).rejects.toMatchObject({
      code: "precondition_failed",
    });
    expect(deleted).toEqual([]);
  });
});
