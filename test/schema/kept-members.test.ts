/** The members `json` and `metadata`, kept as they were written. */

import fc from "fast-check";
import { describe, expect, inject, it } from "vitest";
import { parseExactly, parseInPieces, parseRequest } from "../../src/schema/exact-json.ts";
import { parseKeeping } from "../../src/schema/kept-members.ts";

const parse = (text: string): unknown => JSON.parse(text);
const isTaken = (read: () => unknown): boolean => {
  try {
    read();
    return true;
  } catch {
    return false;
  }
};

/** Begins of what would be one value with a number before it, and other text that no value ends with. */
const TAILS = [".5", "5", "e5", "E-1", "0", "-", ".", '"a"', "{}", "[]", ":", ",", "}", "]", "\\", "\u00a0"];

const free = fc.constantFrom("json", "metadata", "j\\u0073on", "x", "key");
const { value: any } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom("0", "-1.5e3", "true", "null", '""', '"json"', '"\\""', "{}", "[]", ' "a" ', " 1 "),
    fc.array(tie("value"), { maxLength: 3 }).map((members) => `[${members.join(",")}]`),
    fc
      .array(fc.tuple(free, tie("value")), { maxLength: 3 })
      .map((members) => `{${members.map(([name, member]) => `"${name}":${member}`).join(", ")}}`),
  ),
}));
const object = fc
  .array(fc.tuple(free, any), { minLength: 1, maxLength: 3 })
  .map((members) => `{${members.map(([name, member]) => `"${name}":${member}`).join(",")}}`);
/** JSON with text in it that was not there, most often next to a mark, and some of the text behind it taken out. */
const mutated = fc
  .record({
    json: object,
    tail: fc.constantFrom("", ...TAILS),
    nth: fc.nat(200),
    cut: fc.constantFrom(0, 0, 1),
  })
  .map(({ json, tail, nth, cut }) => {
    const places = [...json.matchAll(/(?<=[\]}"])|(?=[,\]}])/g)].map(({ index }) => index);
    const at = nth < 20 ? nth : (places[nth % places.length] ?? 0);
    return json.slice(0, at) + tail + json.slice(at + cut);
  });

describe("the parser that keeps json and metadata", () => {
  it("takes a text if and only if JSON.parse does", () => {
    fc.assert(
      fc.property(mutated, (text) => {
        const keeping = isTaken(() => parseKeeping(text, parse));
        expect([text, keeping]).toEqual([text, isTaken(() => parse(text))]);
      }),
      { seed: inject("seed"), numRuns: 1_000 },
    );
  });

  it("gives each of them as it stands in the text", () => {
    fc.assert(
      fc.property(mutated, (text) => {
        fc.pre(isTaken(() => parseExactly(text)));
        expect(JSON.stringify(parseRequest(text))).toBe(JSON.stringify(parse(text)));
      }),
      { seed: inject("seed") },
    );
  });

  it.each(TAILS)(
    "does not take what is kept and has this behind it, however long the text is: %s",
    async (tail) => {
      for (const kept of ["{}", "[]", '"a"', '{"a":1}']) {
        const text = `[{"json":1},{"json":${kept}${tail},"x":1}]`;
        expect(isTaken(() => parseRequest(text))).toBe(false);
      }
      const long = `[{"metadata":{}${tail}},"${"x".repeat(300_000)}"]`;
      await expect(parseInPieces(long)).rejects.toThrow(SyntaxError);
    },
  );
});
