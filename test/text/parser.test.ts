/** Lines that are parsed into commands. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Line } from "../../src/text/lines.ts";
import { parse } from "../../src/text/parser.ts";
import { printValue, printWord } from "../../src/text/lexer.ts";
import { anyText } from "../support/any-text.ts";

const line = (text: string): Line => ({ text, encoding: "utf-8" });
const byteLine = (...bytes: readonly (number | string)[]): Line => ({
  text: bytes.map((part) => (typeof part === "string" ? part : String.fromCharCode(part))).join(""),
  encoding: "bytes",
});
const code = (text: string): string => {
  const command = parse(line(text));
  return command.verb === "BAD" ? command.failure.code : command.verb;
};

// The guide's doctests of KVServer.Command.
describe("KVServer.Command.parse", () => {
  it.each([
    ["CREATE shopping", { verb: "CREATE", bucket: "shopping" }],
    ["CREATE  shopping  ", { verb: "CREATE", bucket: "shopping" }],
    ["PUT shopping milk 1", { verb: "PUT", bucket: "shopping", key: "milk", value: "1" }],
    ["GET shopping milk", { verb: "GET", bucket: "shopping", key: "milk" }],
    ["DELETE shopping eggs", { verb: "DELETE", bucket: "shopping", key: "eggs" }],
    ["UNKNOWN shopping eggs", { verb: "UNKNOWN" }],
    ["GET shopping", { verb: "UNKNOWN" }],
  ])("parses %j", (text, command) => {
    expect(parse(line(text))).toEqual(command);
  });
});

describe("a line", () => {
  it("is split on runs of spaces and tabs, those at its ends ignored", () => {
    expect(parse(line(" \tPUT\t shopping  milk\t1 "))).toEqual(parse(line("PUT shopping milk 1")));
  });

  it.each([
    "",
    "   ",
    "get shopping milk",
    "GET",
    "GET a b c",
    "PUT a b",
    "PUT a b c d",
    "PING x",
    "AUTH",
    "BUCKETS a b c",
  ])("like %j is an unknown command", (text) => {
    expect(parse(line(text))).toEqual({ verb: "UNKNOWN" });
  });

  it.each([
    ["LOOKUP b", { verb: "LOOKUP", bucket: "b" }],
    ["STOP b", { verb: "STOP", bucket: "b" }],
    ["SUBSCRIBE b", { verb: "SUBSCRIBE", bucket: "b" }],
    ["BUCKETS", { verb: "BUCKETS", prefix: "", after: "" }],
    ["BUCKETS sh shop", { verb: "BUCKETS", prefix: "sh", after: "shop" }],
    ["KEYS b", { verb: "KEYS", bucket: "b", prefix: "", after: "" }],
    ['KEYS b "" m', { verb: "KEYS", bucket: "b", prefix: "", after: "m" }],
    ["GETDEL b k", { verb: "GETDEL", bucket: "b", key: "k" }],
    ["INCR b k", { verb: "INCR", bucket: "b", key: "k", by: 1n }],
    ["INCR b k -5", { verb: "INCR", bucket: "b", key: "k", by: -5n }],
    ["AUTH secret", { verb: "AUTH", token: "secret" }],
    ["PING", { verb: "PING" }],
    ["QUIT", { verb: "QUIT" }],
    ["HELP", { verb: "HELP" }],
  ])("parses %j", (text, command) => {
    expect(parse(line(text))).toEqual(command);
  });
});

describe("quoted words", () => {
  it.each([
    ['PUT b k "two words"', "two words"],
    ['PUT b k "a\\"b\\\\c\\n\\u00e9"', 'a"b\\c\né'],
    ['PUT b k ""', ""],
    ['PUT b k "base64:\\"x\\""', 'base64:"x"'],
    ['PUT b k it"s', 'it"s'],
  ])("%j has the value %j", (text, value) => {
    expect(parse(line(text))).toMatchObject({ verb: "PUT", value });
  });

  it("carry bytes as base64", () => {
    expect(parse(line('PUT b k base64:"AP8="'))).toMatchObject({ value: new Uint8Array([0, 255]).buffer });
  });

  it.each([
    'PUT b k "open',
    'PUT b k "a"b',
    'PUT b k "\\x"',
    'PUT b k "\\ud800"',
    'PUT b k base64:"!"',
    'PUT b k base64:"A',
  ])("%j is turned down", (text) => {
    expect(code(text)).toBe("quoting_invalid");
  });

  it.each([
    ['EXIT b base64:"/w=="', "reason_invalid"],
    ['EXIT b ""', "reason_invalid"],
    ['GET b base64:"/w=="', "key_invalid"],
    ['KEYS b base64:"/w=="', "key_invalid"],
    ['CREATE base64:"/w=="', "bucket_name_invalid"],
  ])("that have to be text say what they would have been: %j", (text, what) => {
    expect(code(text)).toBe(what);
  });

  it("are printed such that they can be typed in again", () => {
    fc.assert(
      fc.property(
        anyText({ minLength: 1, maxLength: 30 }).filter((text) => !text.includes("\0")),
        (text) => {
          const put = parse(line(`PUT b ${printWord(text)} ${printWord(text)}`));
          expect(put).toMatchObject({ verb: "PUT", key: text, value: text });
        },
      ),
    );
  });
});

describe("a value", () => {
  it.each([
    ["plain", "plain"],
    ["two words", "two words"],
    ["", ""],
    ["line\nbreak", '"line\\nbreak"'],
    ['"quoted"', '"\\"quoted\\""'],
    ['base64:"eA=="', '"base64:\\"eA==\\""'],
    ["日本 é", "日本 é"],
  ])("%j is printed as %j", (value, printed) => {
    expect(printValue(value)).toBe(printed);
  });

  it("that is no UTF-8 is printed as base64, and one that is as text, however it is kept", () => {
    expect(printValue(new Uint8Array([255]).buffer)).toBe('base64:"/w=="');
    expect(printValue(new TextEncoder().encode("milk").buffer as ArrayBuffer)).toBe("milk");
  });
});

describe("bytes that are no UTF-8", () => {
  it("may be a value", () => {
    expect(parse(byteLine("PUT b k ", 0xff, 0x41))).toMatchObject({
      value: new Uint8Array([0xff, 0x41]).buffer,
    });
  });

  it("may not be a key", () => {
    expect(parse(byteLine("GET b ", 0xff))).toMatchObject({ verb: "BAD", failure: { code: "key_invalid" } });
  });

  it("leave the line's other words text", () => {
    expect(parse(byteLine("PUT b ", 0xc3, 0xa9, " ", 0xff))).toMatchObject({ key: "é" });
  });
});

describe("limits", () => {
  const big = "x".repeat(1_048_576);
  it.each([
    ["CREATE a/b", "bucket_name_invalid"],
    ['CREATE "a b"', "bucket_name_invalid"],
    ["CREATE é", "bucket_name_invalid"],
    ["CREATE .", "bucket_name_invalid"],
    ["CREATE ..", "bucket_name_invalid"],
    ['CREATE ""', "bucket_name_invalid"],
    [`CREATE ${"n".repeat(257)}`, "bucket_name_invalid"],
    [`CREATE ${"n".repeat(256)}`, "CREATE"],
    ['GET b ""', "key_invalid"],
    ['GET b "a\\u0000"', "key_invalid"],
    [`GET b ${"k".repeat(1_024)}`, "GET"],
    [`GET b ${"k".repeat(1_025)}`, "key_too_long"],
    [`GET b ${"é".repeat(512)}`, "GET"],
    [`GET b ${"é".repeat(513)}`, "key_too_long"],
    [`PUT b k ${big}`, "PUT"],
    [`PUT b k ${big}x`, "value_too_large"],
    ["INCR b k 1.5", "not_an_integer"],
    [`INCR b k ${"9".repeat(20)}`, "not_an_integer"],
  ])("%.20s… is %s", (text, expected) => {
    expect(code(text)).toBe(expected);
  });
});
