/** What an argument of the command line may be. */

import { describe, expect, it } from "vitest";
import {
  parseDate,
  parseEtag,
  parseInteger,
  parseJsonArgument,
  parsePositive,
  parseWhole,
} from "../../src/cli/arguments.ts";

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
