/** JSON that is parsed in pieces, and exactly. */

import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { breath } from "../../src/lib/breath.ts";
import { parseExactly, parseInPieces } from "../../src/schema/exact-json.ts";

/** As long as it takes for a text to be read in pieces. */
const LONG = 300_000;

/** A long text around JSON, which is its last member. */
const around = (json: string): string => `[${'"x",'.repeat(LONG / 4)}${json}]`;
const lastOf = async (json: string): Promise<unknown> =>
  ((await parseInPieces(around(json))) as unknown[]).at(-1);

describe("JSON in pieces", () => {
  it("is parsed as JSON.parse parses it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 5 }), async (json) => {
        fc.pre(!/\d{16}|[eE]\+?\d{3}/.test(json));
        expect(await lastOf(json)).toEqual(JSON.parse(json));
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ["a long array", `[${"[1,2],".repeat(90_000)}3]`],
    ["a long string", `["${"a\\u0000\\\\".repeat(40_000)}"]`],
    ["brackets and commas in strings", `[${'"[,]{,}\\\\\\","'.concat(",").repeat(20_000)}0]`],
    // Wherever a piece ends, it may be within an escape.
    ...[0, 1, 2].map((by): [string, string] => [
      `escaped quotes after ${by} characters`,
      `["${"x".repeat(by)}${'\\\\\\"'.repeat(LONG / 2)}",[1],"${'\\"'.repeat(LONG)}"]`,
    ]),
    ["a long object", `{${Array.from({ length: 30_000 }, (_, n) => `"k${n}":[${n}]`).join(",")}}`],
    ["a long member of an object", `{"a":1,"b":[${"0,".repeat(200_000)}0],"c":{"d":"e"}}`],
    ["__proto__ as a name", `{"__proto__":[${"0,".repeat(200_000)}0],"b":{"__proto__":1}}`],
    ["a name that comes twice", `{"a":[${"0,".repeat(200_000)}0],"a":2}`],
    ["blanks", ` \n[${" ".repeat(LONG)}1 ,\t2 ] \r\n`],
    ["nothing but blanks in an array", `[${" ".repeat(LONG)}]`],
    ["depth", `${"[".repeat(200)}${"1,".repeat(LONG)}2${"]".repeat(200)}`],
  ])("has %s", async (_, json) => {
    const parsed = await parseInPieces(json);
    expect(JSON.stringify(parsed) === JSON.stringify(JSON.parse(json))).toBe(true);
    expect(Object.keys(parsed as object).slice(0, 5)).toEqual(
      Object.keys(JSON.parse(json) as object).slice(0, 5),
    );
  });

  it.each(["1,", ",1", "1,,2", "1 2", "[1}", "{]", '"open', '{"a":1,}', '{"a"}', '{,"a":1}'])(
    "is refused where JSON.parse refuses it: %s",
    async (json) => {
      for (const text of [around(json), `[${json},${'"x",'.repeat(LONG / 4)}0]`]) {
        expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
        await expect(parseInPieces(text)).rejects.toThrow(SyntaxError);
      }
    },
  );

  it("is refused if it ends too early or has text after its end", async () => {
    const long = around("0");
    for (const text of [long.slice(0, -1), `${long}]`, `${long},1`, `{${long}`]) {
      await expect(parseInPieces(text)).rejects.toThrow(SyntaxError);
    }
  });

  it("lets other requests run while it is parsed", async () => {
    const pauses = vi.spyOn(breath, "pause");
    await parseInPieces(`[${"0,".repeat(1_000_000)}0]`);
    expect(pauses.mock.calls.length).toBeGreaterThanOrEqual(7);
    pauses.mockRestore();
  });
});

describe("a number that a double can't hold", () => {
  it.each(["9007199254740993", "-9007199254740993", "1e400", '[1,{"a":12345678901234567}]', "1e999"])(
    "is refused, alone and in a long text: %s",
    async (json) => {
      expect(() => parseExactly(json)).toThrow("can't be stored");
      await expect(lastOf(json)).rejects.toThrow("can't be stored");
    },
  );

  it.each([
    '"9007199254740993"',
    '["\\"",9007199254740992]',
    '["\\\\",1e300]',
    '"12345678901234567\\" 12345678901234567"',
    "1.5e3",
    '{"12345678901234567":1}',
  ])("is none in a string, and others are kept: %s", async (json) => {
    expect(parseExactly(json)).toEqual(JSON.parse(json));
    expect(await lastOf(json)).toEqual(JSON.parse(json));
  });
});
