/** What can't be meant is refused before it is sent, in a sentence that says what it has to be. */

import { describe, expect, it, vi } from "vitest";
import { type Bucket, type Codec, json, Kv, text } from "../../src/client/index.ts";
import { problem, scripted, scriptedWith, value as entry } from "../e2e/support/scripted-fetch.ts";

type Anything = any; // oxlint-disable-line typescript/no-explicit-any -- as JavaScript calls it

interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** The error of a call that sends nothing. */
async function refusalOf(
  call: (bucket: Bucket, kv: Kv) => Anything,
  codec: Anything = json,
): Promise<Refusal> {
  const { asked, kv } = scripted();
  let refusal: Refusal | undefined;
  try {
    await call(kv.bucket("b", { codec }), kv);
  } catch (error) {
    refusal = error as Refusal;
  }
  expect(asked).toEqual([]);
  return refusal ?? expect.unreachable("It was not refused.");
}

const PUTS: Record<string, (bucket: Bucket, value: unknown) => Anything> = {
  put: (b, value) => b.put("a", value),
  batch: (b, value) => b.batch([{ op: "put", key: "a", value }]),
  "a transaction": (b, value) => b.transaction({ then: [{ op: "put", key: "a", value }] }),
  "a comparison": (b, value) => b.transaction({ if: [{ key: "a", value }] }),
  "a session's put": (b, value) => b.session().bucket.put("a", value),
};

describe.each(Object.keys(PUTS))("what a codec gives to %s", (name) => {
  const answers: readonly Anything[] = [
    {},
    5,
    undefined,
    null,
    [1],
    Promise.resolve("text"),
    new ArrayBuffer(1),
    new Uint16Array(1),
    "half \ud800",
  ];
  it("is text or bytes, or it is refused", async () => {
    for (const answer of answers) {
      const codec = { type: "a/b", encode: () => answer as string, decode: () => "" };
      const refusal = await refusalOf((bucket) => PUTS[name]?.(bucket, "a"), codec);
      expect(refusal).toMatchObject({ code: "value_invalid" });
    }
  });
});

describe("a codec", () => {
  it("has a type, and can encode and decode", async () => {
    const { encode, decode } = text;
    for (const codec of [
      { encode, decode },
      { ...text, type: "" },
      { ...text, encode: "json" },
    ]) {
      const refusal = await refusalOf(() => undefined, codec);
      expect(refusal).toMatchObject({ code: "options_invalid" });
    }
  });

  it("says in a sentence why it refuses a value", async () => {
    const no = (message: string): Codec => ({
      ...json,
      encode: () => {
        throw new Error(message);
      },
    });
    for (const [message, sentence] of [
      ["no", "no. Nothing was sent."],
      ["No!", "No! Nothing was sent."],
      ["", "The codec refuses this value. Nothing was sent."],
    ] as const) {
      const refusal = await refusalOf((bucket) => bucket.put("a", 1), no(message));
      expect(refusal.message).toBe(sentence);
    }
  });
});

describe("metadata", () => {
  const big = 2n ** 53n + 1n;
  it.each([big, -big, 10n ** 400n])("has no bigint that a number can't hold: %s", async (n) => {
    const metadata = { deep: [n] };
    const put = { op: "put" as const, key: "a", value: 1, metadata };
    for (const [call, code] of [
      [(b: Bucket) => b.put("a", 1, { metadata }), "options_invalid"],
      [(b: Bucket) => b.update("a", () => 1, { metadata }), "options_invalid"],
      [(b: Bucket) => b.session().bucket.put("a", 1, { metadata }), "options_invalid"],
      [(_: Bucket, kv: Kv) => kv.create("b", { metadata }), "options_invalid"],
      [(b: Bucket) => b.batch([put]), "operation_invalid"],
      [(b: Bucket) => b.transaction({ then: [put] }), "operation_invalid"],
    ] as const) {
      const refusal = await refusalOf(call);
      expect(refusal).toMatchObject({ code, message: expect.stringContaining("Send it as text") as string });
    }
  });
});

describe("a call", () => {
  const hole: Anything[] = [];
  hole.length = 1;
  it.each<[string, (bucket: Bucket, kv: Kv) => Anything, string]>([
    ["a batch with a hole", (b) => b.batch(hole), "operation_invalid"],
    ["a transaction with a hole", (b) => b.transaction({ then: hole }), "operation_invalid"],
    ["a comparison that is a hole", (b) => b.transaction({ if: hole }), "operation_invalid"],
    ["an etag that is a hole", (b) => b.put("a", 1, { ifMatch: hole }), "options_invalid"],
    ["a type that is empty", (b) => b.put("a", 1, { type: "" }), "options_invalid"],
    ["a type of blanks", (b) => b.put("a", 1, { type: " " }), "options_invalid"],
    [
      "an operation's type that is empty",
      (b) => b.batch([{ op: "put", key: "a", value: 1, type: "" }]),
      "operation_invalid",
    ],
    ["a session's options", (b) => (b as Anything).session({ foo: 1 }), "options_invalid"],
    ["a connection's options", (_, kv) => (kv as Anything).connect({ foo: 1 }), "options_invalid"],
  ])("does not take %s", async (_, call, code) => {
    expect(await refusalOf(call)).toMatchObject({ code });
  });

  it("is refused by its own name", async () => {
    const options: Anything = { foo: 1 };
    expect((await refusalOf((b) => b.entry("a", options))).message).toMatch(/^entry takes no foo\./);
    expect((await refusalOf((b) => b.get("a", options))).message).toMatch(/^get takes no foo\./);
  });
});

describe("a refusal", () => {
  it.each<[(bucket: Bucket, kv: Kv) => Anything, string]>([
    [(b) => b.get({} as Anything), "A key has to be well-formed text, and not an object."],
    [(b) => b.get(undefined as Anything), "A key has to be well-formed text, and not undefined."],
    [(b) => b.get("\ud800"), String.raw`A key has to be well-formed text, and not "\ud800".`],
    [
      (_, kv) => kv.bucket(undefined as Anything),
      `A bucket's name has to be well-formed text other than "", "." and "..", and not undefined.`,
    ],
    [
      (_, kv) => kv.bucket([] as Anything),
      `A bucket's name has to be well-formed text other than "", "." and "..", and not an array.`,
    ],
    [
      (_, kv) => kv.bucket(".."),
      `A bucket's name has to be well-formed text other than "", "." and "..", and not "..".`,
    ],
    [(b) => b.deleteRange(null as Anything), "deleteRange's range has to be an object, and not null."],
    [(b) => b.transaction(null as Anything), "A transaction has to be an object, and not null."],
    [
      (b) => b.transaction({ if: [new Map()] } as Anything),
      "A comparison has to be an object, and not a Map.",
    ],
    [(b) => b.put("a", 1, [] as Anything), "put takes its options as an object, and not an array."],
    [
      (b) => b.put("a", 1, { ttl: "60" } as Anything),
      `put: ttl has to be a number of seconds, or Infinity for never, and not "60".`,
    ],
    [
      (b) => b.put("a", 1, { metadata: { at: NaN } }),
      "put: metadata has to be JSON. metadata.at is NaN, which JSON can't express.",
    ],
    [(b) => b.batch({} as Anything), "Operations have to be an array, and not an object."],
    [
      (b) => b.batch([{ op: "got", key: "a" } as Anything]),
      "The op of an operation has to be get, put, delete, getAndDelete or increment.",
    ],
    [(b) => b.list({ limit: NaN }).next(), "list: limit has to be a number from 0 on, and not NaN."],
    [(_, kv) => kv.exit("b", 5 as Anything), "A reason has to be text, and not 5."],
  ])("says what it has to be (%#)", async (call, sentence) => {
    expect((await refusalOf(call)).message).toBe(`${sentence} Nothing was sent.`);
  });
});

describe("a client", () => {
  it.each<[string, Anything]>([
    ["nothing", undefined],
    ["a symbol", Symbol("url")],
    ["an object without a text", Object.create(null)],
    ["a path", "/v1"],
  ])("has an address that is one, and not %s", (_, url) => {
    const made = (): Kv => new Kv({ url });
    expect(made).toThrow(expect.objectContaining({ code: "url_invalid" }) as Error);
  });
});

describe("a transaction that only reads", () => {
  it("is done again where it got no answer", async () => {
    const told = Response.json({ succeeded: false, results: [{ op: "get", key: "a", found: false }] });
    const { asked, kv } = scripted("break", told);
    const read = { op: "get", key: "a" } as const;
    const answer = await kv
      .bucket("b")
      .transaction({ if: [{ key: "a", exists: true }], then: [read], else: [read] });
    expect(answer).toMatchObject({ succeeded: false });
    expect(asked).toHaveLength(2);
  });

  it("is another one where either list writes", async () => {
    const { asked, kv } = scripted("break", entry(1));
    const broken = kv.bucket("b").transaction({ else: [{ op: "delete", key: "a" }] });
    await expect(broken).rejects.toMatchObject({ code: "connection_lost" });
    expect(asked).toHaveLength(1);
  });
});

describe("a time to come back at", () => {
  const later = (retryAfter: string): Response => {
    const answer = problem(503, "overloaded");
    answer.headers.set("Retry-After", retryAfter);
    return answer;
  };

  it.each(["99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])(
    "is at most what a timer can wait: %s",
    async (retryAfter) => {
      const { kv } = scripted(later(retryAfter));
      await expect(kv.bucket("b").get("a")).rejects.toMatchObject({ retryAfterMs: 2_147_483_647 });
    },
  );

  it("is too late where the call's time is over before the wait, and what is added to it, is", async () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(0.5);
    try {
      const { asked, kv } = scriptedWith({ timeoutMs: 1_100, retryBaseMs: 1_000 }, later("1"));
      const got = kv.bucket("b").get("a");
      await expect(got).rejects.toMatchObject({ code: "overloaded", retryAfterMs: 1_000 });
      expect(asked).toHaveLength(1);
    } finally {
      random.mockRestore();
    }
  });
});
