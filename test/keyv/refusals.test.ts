/** What a store of keyv's is given that can't be meant: it is refused, and not kept as something else. */

import { Keyv as Keyv5 } from "keyv";
import { Keyv as Keyv6 } from "keyv-6";
import { describe, expect, it } from "vitest";
import { KeyvDurableKv } from "../../src/keyv/index.ts";
import { problem, scripted } from "../e2e/support/scripted-fetch.ts";

type Anything = any; // oxlint-disable-line typescript/no-explicit-any -- as JavaScript calls it

const NO_TTLS: readonly Anything[] = [NaN, new Date(), "60", null, true, {}, 60n];

const hole: Anything[] = [];
hole.length = 1;

/** The error's code; a store that is refused asks for nothing. */
async function codeOf(call: (store: KeyvDurableKv) => Promise<unknown>): Promise<unknown> {
  const { asked, kv } = scripted();
  const error: unknown = await call(new KeyvDurableKv({ kv, bucket: "b" })).catch(
    (caught: unknown) => caught,
  );
  expect(asked).toEqual([]);
  return (error as { readonly code?: unknown }).code;
}

describe("a store of keyv's refuses", () => {
  it.each(NO_TTLS)("a ttl that is %s", async (ttl) => {
    expect(await codeOf((store) => store.set("a", "v", ttl))).toBe("options_invalid");
    expect(await codeOf((store) => store.setMany([{ key: "a", value: "v", ttl }]))).toBe("options_invalid");
  });

  it("all of many, where one of them can't be meant, and deletes none", async () => {
    const over = { key: "over", value: "v", ttl: 0 };
    const many: readonly Anything[] = [
      [over, { key: "a", value: "v", expires: 5 }],
      [over, { key: "a", value: "v", ttl: NaN }],
      [over, null],
      [over, , over], // oxlint-disable-line no-sparse-arrays -- the hole is what is tried
      {},
      undefined,
    ];
    for (const entries of many) {
      expect(await codeOf((store) => store.setMany(entries))).toBe("options_invalid");
    }
  });

  it("keys that are no list", async () => {
    for (const keys of ["text", undefined, {}] as Anything[]) {
      expect(await codeOf((store) => store.getMany(keys))).toBe("options_invalid");
      expect(await codeOf((store) => store.deleteMany(keys))).toBe("options_invalid");
      expect(await codeOf((store) => store.hasMany(keys))).toBe("options_invalid");
    }
  });

  it("keys that are no text, whether it has a namespace or not", async () => {
    for (const namespace of [undefined, "n"]) {
      for (const key of [undefined, 5, null] as Anything[]) {
        const calls: ((store: KeyvDurableKv) => Promise<unknown>)[] = [
          (store) => store.get(key),
          (store) => store.set(key, 1),
          (store) => store.setMany([{ key, value: 1 }]),
          (store) => store.delete(key),
          (store) => store.deleteMany([key]),
          (store) => store.getMany([key]),
          (store) => store.hasMany([key]),
          (store) => store.hasMany(hole),
          (store) => store.deleteMany(hole),
          (store) => store.getMany(hole),
        ];
        for (const call of calls) {
          const code = await codeOf(async (store) => call(Object.assign(store, { namespace })));
          expect(code).toBe("key_invalid");
        }
      }
    }
  });

  it.each<[Anything]>([
    [undefined],
    [null],
    ["http://localhost"],
    [{ kv: 5, bucket: "b" }],
    [{ url: "http://localhost", bucket: "b", create: 5 }],
    [{ url: "http://localhost", bucket: "b", create: { restat: "permanent" } }],
  ])("to be made of %j", (options) => {
    const made = (): KeyvDurableKv => new KeyvDurableKv(options);
    expect(made).toThrow(expect.objectContaining({ code: "options_invalid" }) as Error);
  });
});

describe("a time to live that keyv hands on", () => {
  const put = (): Response => {
    const answer = problem(200, "");
    answer.headers.set("ETag", '"i-1"');
    answer.headers.set("KV-Revision", "1");
    return answer;
  };

  it.each([undefined, Infinity])("is for ever if it is %s", async (ttl) => {
    for (const keyvOf of [(options: object) => new Keyv5(options), (options: object) => new Keyv6(options)]) {
      const { asked, kv } = scripted(put());
      const keyv = keyvOf({ store: new KeyvDurableKv({ kv, bucket: "b" }), throwOnErrors: true });
      expect(await keyv.set("a", "v", ttl)).toBe(true);
      expect(asked.map(({ url }) => new URL(url).searchParams.has("ttl"))).toEqual([false]);
    }
  });

  it("is an error of keyv 5's if it is none", async () => {
    const { asked, kv } = scripted(put());
    const keyv = new Keyv5({ store: new KeyvDurableKv({ kv, bucket: "b" }), throwOnErrors: true });
    await expect(keyv.set("a", "v", NaN)).rejects.toMatchObject({ code: "options_invalid" });
    expect(asked).toEqual([]);
  });
});
