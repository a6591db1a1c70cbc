/** Lines of the text protocol: commands, and what is nearly one, written in all the ways there are. */

import fc from "fast-check";
import * as names from "./names.ts";
import * as values from "./values.ts";

/** A line without its ending, with `<bucket 0>` for a name; each character is a byte. */
export type LineDraft = string;

const bucket = fc.oneof(
  { weight: 12, arbitrary: fc.constant("<bucket 0>") },
  { weight: 5, arbitrary: fc.constant("<bucket 1>") },
  {
    weight: 1,
    arbitrary: fc.constantFrom("b".repeat(257), '"b c"', "é", '".."', 'base64:"Yg=="'),
  },
);

const key = fc.tuple(names.nearlyKey, fc.nat({ max: 9 })).map(([text, how]) => written(text, how));

const value = fc.oneof(
  { weight: 5, arbitrary: values.bytes.map((bytes) => bytesWritten(bytes)) },
  {
    weight: 5,
    arbitrary: fc.tuple(values.text, fc.nat({ max: 9 })).map(([text, how]) => written(text, how)),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.boolean())
      .map(([bytes, raw]) => bytesWritten(Buffer.from(bytes), raw)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('base64:"A"', '"open', '"a"b', String.raw`"\x"`, '"\\ud800"', 'base64:"!"'),
  },
);

const by = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("1", "-1", "+2", "007", "9223372036854775807") },
  { weight: 1, arbitrary: fc.constantFrom("x", "1.5", "99999999999999999999", '""') },
);

const prefix = fc.tuple(names.prefix, fc.nat({ max: 9 })).map(([text, how]) => written(text, how));

const words: fc.Arbitrary<readonly string[]> = fc.oneof(
  { weight: 10, arbitrary: fc.tuple(fc.constant("PUT"), bucket, key, value) },
  { weight: 8, arbitrary: fc.tuple(fc.constant("GET"), bucket, key) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("DELETE"), bucket, key) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("GETDEL"), bucket, key) },
  { weight: 5, arbitrary: fc.tuple(fc.constant("INCR"), bucket, key) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("INCR"), bucket, key, by) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("KEYS"), bucket) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("KEYS"), bucket, prefix, prefix) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("CREATE"), bucket) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("LOOKUP"), bucket) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("STOP"), bucket) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constant("EXIT"), bucket, fc.constantFrom("normal", '""', "r".repeat(257))),
  },
  { weight: 1, arbitrary: fc.constant(["BUCKETS", "<namespace>"]) },
  { weight: 1, arbitrary: fc.constantFrom(["PING"], ["HELP"]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ["get", "b", "k"],
      ["NOTHING"],
      ["PUT", "b"],
      [""],
      ["PING", "x"],
      ["\u00c3\u00a9"],
    ),
  },
);

export const line: fc.Arbitrary<LineDraft> = fc
  .tuple(words, fc.constantFrom(" ", " ", " ", "\t", "  \t "), fc.constantFrom("", "", "", " "))
  .map(([all, blank, around]) => around + all.join(blank) + around);

/** A key or value as a word; each character of the result is a byte. */
function written(text: string, how: number): string {
  const plain = text !== "" && !/[\0-\x20\x7f]/.test(text) && !/^(?:base64:)?"/.test(text);
  if (plain && how < 6) return latin1(text);
  if (how === 9)
    return `"${Array.from({ length: text.length }, (_, at) => escape(text.charCodeAt(at))).join("")}"`;
  return latin1(JSON.stringify(text));
}

function bytesWritten(bytes: Buffer, raw = true): string {
  const text = bytes.toString("latin1");
  const fits = text !== "" && !/[\0-\x20"]/.test(text);
  return fits && raw ? text : `base64:"${bytes.toString("base64")}"`;
}

function escape(unit: number): string {
  return String.raw`\u${unit.toString(16).padStart(4, "0")}`;
}

function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}
