/** What the command prints, and what it reads: the parts that need no service. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  parseDate,
  parseEtag,
  parseInteger,
  parseJsonArgument,
  parsePositive,
  parseWhole,
} from "../../src/cli/arguments.ts";
import { fileNameOf } from "../../src/cli/export-folder.ts";
import { progressLine } from "../../src/cli/progress.ts";
import { keyText, valueJson, valueText } from "../../src/cli/value-text.ts";
import { anyText } from "../support/any-text.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("a line of progress", () => {
  it("has a bar, a rate and the time left where the total is known", () => {
    expect(progressLine({ unit: "entries", done: 1_000, total: 4_000, elapsedMs: 2_000 })).toBe(
      "[#####               ]  25 %  1,000 of 4,000 entries  500/s  0:06 left",
    );
  });

  it("has none of these where it is not", () => {
    expect(progressLine({ unit: "entries", done: 1_000, total: undefined, elapsedMs: 2_000 })).toBe(
      "1,000 entries  500/s",
    );
  });

  it("counts bytes as people do", () => {
    const done = 3 * 1_048_576;
    expect(progressLine({ unit: "bytes", done, total: 4 * done, elapsedMs: 1_000 })).toBe(
      "[#####               ]  25 %  3.0 MiB of 12.0 MiB  3.0 MiB/s  0:03 left",
    );
  });

  it("names hours, and stops at all of it", () => {
    expect(progressLine({ unit: "buckets", done: 1, total: 7_200, elapsedMs: 1_000 })).toMatch(
      /1\/s {2}1:59:59 left$/,
    );
    expect(progressLine({ unit: "buckets", done: 12, total: 10, elapsedMs: 1_000 })).toBe(
      "[####################] 100 %  12 of 10 buckets  12/s",
    );
  });
});

describe("a value in a line", () => {
  it.each([
    ["plain", "plain"],
    ["½ litre", "½ litre"],
    ["two\nlines", '"two\\nlines"'],
    ['"quoted"', '"\\"quoted\\""'],
    ['base64:"x"', '"base64:\\"x\\""'],
    ["", ""],
  ])("%j is shown as %s", (value, shown) => {
    expect(valueText(bytes(value))).toBe(shown);
  });

  it("is base64 where it is no text", () => {
    expect(valueText(Uint8Array.of(0xff))).toBe('base64:"/w=="');
    expect(valueJson(Uint8Array.of(0xff))).toEqual({ base64: "/w==" });
    expect(valueJson(bytes("½"))).toEqual({ value: "½" });
  });

  it("keeps a byte order mark", () => {
    expect(valueJson(bytes("\uFEFFa"))).toEqual({ value: "\uFEFFa" });
  });

  it("never breaks its line, nor does a key", () => {
    fc.assert(
      fc.property(anyText({ halves: true }), (text) => {
        expect(keyText(text) + valueText(bytes(text))).not.toMatch(/[\r\n\t]/);
      }),
    );
  });
});

describe("a bucket's file", () => {
  const printable = fc
    .array(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 1, maxLength: 256 })
    .map((codes) => String.fromCharCode(...codes).replaceAll(/["/]/g, "x"));

  it("is no other bucket's, on no file system, and can be a file's name everywhere", () => {
    fc.assert(
      fc.property(printable, printable, (one, other) => {
        fc.pre(one !== other);
        expect(fileNameOf(one).toLowerCase()).not.toBe(fileNameOf(other).toLowerCase());
        expect(fileNameOf(one)).toMatch(/^[a-z0-9_%][a-z0-9._%~-]{0,220}$/);
      }),
    );
  });

  it("has the bucket's name, where that can be", () => {
    expect(fileNameOf("shopping-list_2.old")).toBe("shopping-list_2.old.ndjson");
    expect(fileNameOf("Shop")).not.toBe(fileNameOf("shop"));
    expect(fileNameOf("a".repeat(255))).not.toBe(fileNameOf("a".repeat(256)));
    expect(fileNameOf("..")).toBe("%2e..ndjson");
  });

  it.each(["con", "nul", "prn", "aux", "com1", "lpt9", "con.old"])(
    "of %s is no device of Windows",
    (name) => {
      expect(fileNameOf(name)).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)\./);
      expect(decodeURIComponent(fileNameOf(name))).toBe(`${name}.ndjson`);
    },
  );

  it("of what only begins like a device is its name", () => {
    expect(fileNameOf("console")).toBe("console.ndjson");
  });
});

describe("an argument", () => {
  it.each([
    [parseWhole, "0", 0],
    [parsePositive, "17", 17],
    [parseInteger, "-9223372036854775808", -9_223_372_036_854_775_808n],
    [parseDate, "2030-01-31T12:00:00Z", new Date(Date.UTC(2030, 0, 31, 12))],
    [parseDate, "2032-02-29T23:59:59.5+02:00", new Date(Date.UTC(2032, 1, 29, 21, 59, 59, 500))],
    [parseJsonArgument, '{"a":1}', { json: { a: 1 } }],
    [
      parseJsonArgument,
      ' { "1" : [ 1e2, 0.10, 3.14159265358979323, 0e5 ] , "\\u0061" : "1e400" } ',
      { json: { 1: [100, 0.1, Math.PI, 0], a: "1e400" } },
    ],
    [parseJsonArgument, "9007199254740991", { json: 9_007_199_254_740_991 }],
    [parseJsonArgument, "null", { json: null }],
    [parseEtag, '"24f0-7"', ["24f0-7"]],
    [parseEtag, "*", "*"],
  ])("%o takes %s", (read, text, value) => {
    expect(read(text)).toEqual(value);
  });

  it.each([
    [parseWhole, "-1"],
    [parseWhole, "1.5"],
    [parseWhole, "1e3"],
    [parsePositive, "0"],
    [parseInteger, "0x1"],
    [parseInteger, ""],
    [parseDate, "tomorrow"],
    [parseDate, "2030"],
    [parseDate, "2030-01-31"],
    [parseDate, "01/02/2030"],
    [parseDate, "2030-01-31T12:00:00"],
    [parseDate, "2030-01-31T24:00:00Z"],
    [parseDate, "2030-01-31T12:00Z"],
    [parseDate, "2030-02-30T12:00:00Z"],
    [parseDate, "2031-02-29T12:00:00Z"],
    [parseDate, "2030-01-31T12:00:00+25:00"],
    [parseJsonArgument, "{"],
    [parseJsonArgument, '{"n":1e400}'],
    [parseJsonArgument, "[1e-400]"],
    [parseJsonArgument, "-0"],
    [parseJsonArgument, "9007199254740993"],
    [parseJsonArgument, "12345678901234567890123"],
    [parseJsonArgument, '{"a":1,"a":2}'],
    [parseJsonArgument, '{"b":1,"1":2}'],
    [parseEtag, "7"],
    [parseEtag, 'W/"24f0-7"'],
  ])("%o refuses %s", (read, text) => {
    expect(() => read(text)).toThrow(/^Expected /);
  });

  it("may be several etags", () => {
    expect(parseEtag("b-2", parseEtag("a-1"))).toEqual(["a-1", "b-2"]);
  });
});
