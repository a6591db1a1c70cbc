/** Values, times, numbers: what is stored, and what is said of it. */

import fc from "fast-check";

/** Stands for the tag of a key in the bucket that is asked; it is known when the request is sent. */
export const TAG_OF = /<tag of ([^>]*)>/g;
export const TAGGED_KEYS = ["k", "milk", "a/b"] as const;

const tagOfKey = fc.constantFrom(...TAGGED_KEYS).map((key) => `<tag of ${key}>`);

/** Bytes of a value: integers, text, bytes that are none, and now and then one that is kept in chunks. */
export const bytes: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .constantFrom("0", "41", "-7", "+5", "007", "9223372036854775807")
      .map((text) => Buffer.from(text)),
  },
  { weight: 8, arbitrary: fc.string({ unit: "grapheme", maxLength: 12 }).map((text) => Buffer.from(text)) },
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 40 }).map((given) => Buffer.from(given)) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom("", "\uFEFF", "\r\n", '{"a":1}', 'base64:"YQ=="')
      .map((text) => Buffer.from(text)),
  },
);

const LARGE = Buffer.alloc(1_048_577, "large");
export const largeBytes: fc.Arbitrary<Buffer> = fc.constant(LARGE);

export const text: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("", "1", "41", "x", "é", "😀", "\u0000", "\uFEFF", "a\r\nb"),
  fc.string({ unit: "binary", maxLength: 10 }),
);

/** Small JSON of any kind. */
export const json: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, 0, 1.5, "x", true, [], {}, { a: { b: [1, "é"] } }, 9_007_199_254_740_991),
  fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown),
);

export const metadata: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 10, arbitrary: json },
  { weight: 1, arbitrary: fc.constantFrom("m".repeat(1_022), "m".repeat(1_023), "é".repeat(600)) },
);

export const ttl: fc.Arbitrary<number> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(60, 3_600.5, 86_400) },
  { weight: 1, arbitrary: fc.constantFrom(315_360_000, 315_360_001, 0, -1, 0.000_1) },
);

/** Far enough from now, whenever that is. */
export const expires: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .constantFrom(1, 2, 3)
      .map((years) => `${new Date().getUTCFullYear() + years}-02-28T01:02:03Z`),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      `${new Date().getUTCFullYear() + 1}-02-28T01:02:03.456+05:30`,
      "2001-01-01T00:00:00Z",
      "9999-12-31T23:59:59Z",
      "2030-02-30T00:00:00Z",
      "2030-01-01",
      "soon",
    ),
  },
);

export const integer: fc.Arbitrary<number | string> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom<(number | string)[]>(1, -1, 0, 41, "+2", "-3", "007") },
  {
    weight: 2,
    arbitrary: fc.constantFrom<(number | string)[]>(
      9_007_199_254_740_991,
      "9223372036854775807",
      "-9223372036854775808",
      "9999999999999999999",
    ),
  },
);

export const type: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 16,
    arbitrary: fc.constantFrom(
      "text/plain",
      "application/json",
      "image/png",
      "text/html; charset=utf-8",
      "x",
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom("t".repeat(256), "t".repeat(257), "é", " ", "a\tb") },
);

/** As operations have them. */
export const tags: fc.Arbitrary<string | string[]> = fc.oneof(
  { weight: 5, arbitrary: tagOfKey },
  { weight: 3, arbitrary: fc.constantFrom<(string | string[])[]>("*", "0123-1", [], "W/x", 'a"b', "") },
  { weight: 2, arbitrary: fc.array(fc.oneof(tagOfKey, fc.constant("0123-1")), { maxLength: 3 }) },
);

/** As headers have them. */
export const tagHeader: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: tagOfKey.map((tag) => `"${tag}"`) },
  { weight: 3, arbitrary: fc.constantFrom("*", '"0123-1"', '"a", "b"', ',, "a" ,') },
  { weight: 2, arbitrary: fc.tuple(tagOfKey, tagOfKey).map(([one, other]) => `"${one}", W/"${other}"`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", "abc", '"a', '"a" "b"', "**", 'w/"a"', '"a b"'),
  },
);
