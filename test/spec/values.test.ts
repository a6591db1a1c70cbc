/** The conformance suite of values, over a service binding. */

import { kv } from "../support/binding.ts";
import { clock } from "../support/objects.ts";
import { valuesSuite, type Values } from "../support/values-suite.ts";

async function open(name: string, state: "empty" | "missing"): Promise<Values> {
  if (state === "empty") await kv.create(name);
  const bucket = kv.bucket(name);
  return {
    put: async (key, value, options = {}) => void (await bucket.put(key, value, options)),
    get: async (key) => (await bucket.get(key)) ?? undefined,
    delete: async (key, options = {}) => void (await bucket.delete(key, options)),
    getAndDelete: async (key) => (await bucket.getAndDelete(key)) ?? undefined,
    increment: async (key, options = {}) => BigInt((await bucket.increment(key, options)).value),
    keys: async (prefix) => (await bucket.list({ prefix })).keys.map(({ key }) => key),
    more: {
      entry: async (key) => {
        const entry = await bucket.getEntry(key);
        if (entry === null) return undefined;
        const { value, revision, etag, metadata, expires } = entry;
        return {
          value,
          revision,
          etag,
          metadata,
          expires: expires === undefined ? undefined : new Date(expires),
        };
      },
      list: async (query) => (await bucket.list(query)).keys.map(({ key }) => key),
      batch: async (operations) =>
        (await bucket.batch(operations)).map((result) => {
          if ("error" in result) return result.error.code;
          if (result.op !== "get" && result.op !== "getAndDelete") return "ok";
          return result.found ? (result.value ?? "") : "absent";
        }),
      transaction: async (transaction) => (await bucket.transaction(transaction)).succeeded,
    },
  };
}

valuesSuite("a service binding", open, () => Date.now() + clock.aheadMs);
