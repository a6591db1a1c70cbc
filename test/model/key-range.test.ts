/** Ranges of keys, in the order of UTF-8. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isBefore, rangeOf, successor } from "../../src/model/key-range.ts";
import { inByteOrder } from "../support/entries.ts";
import { anyText } from "../support/any-text.ts";

const text = fc
  .oneof(anyText({ maxLength: 4 }), fc.string({ unit: fc.constantFrom("a", "b", "c", "d"), maxLength: 4 }))
  .map((candidate) =>
    candidate.replaceAll("b", "\ud7ff").replaceAll("c", "\u{10ffff}").replaceAll("d", "\uffff"),
  );

describe("a range of keys", () => {
  it("is in the order of UTF-8, which is not that of JavaScript's strings", () => {
    expect(["😀", "\uffff"].toSorted(inByteOrder)).toEqual(["\uffff", "😀"]);
    expect(isBefore("\uffff", "😀")).toBe(true);
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(isBefore(one, other)).toBe(inByteOrder(one, other) < 0);
      }),
    );
  });

  it("of a prefix ends right behind the last text that begins with it", () => {
    expect(successor("")).toBeUndefined();
    expect(successor("\u{10ffff}")).toBeUndefined();
    expect(successor("a\u{10ffff}")).toBe("b");
    expect(successor("\ud7ff")).toBe("\ue000");
    fc.assert(
      fc.property(text, text, (prefix, candidate) => {
        const end = successor(prefix);
        const inside = !isBefore(candidate, prefix) && (end === undefined || isBefore(candidate, end));
        expect(inside).toBe(candidate.startsWith(prefix));
      }),
    );
  });

  it("is where prefix, start and end agree", () => {
    expect(rangeOf({})).toEqual({ from: "", to: undefined });
    expect(rangeOf({ prefix: "b", start: "a", end: "z" })).toEqual({ from: "b", to: "c" });
    expect(rangeOf({ prefix: "b", start: "ba", end: "bx" })).toEqual({ from: "ba", to: "bx" });
  });
});
