/** What reaches a terminal. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { isPrintable, printable } from "../../src/cli/printable.ts";
import { keyText, valueText } from "../../src/cli/value-text.ts";
import { anyText } from "../support/any-text.ts";

/** What terminals act upon, or show as something else. */
const DANGEROUS = [
  ["ESC", "\x1b[31m", "\\u001b[31m"],
  ["BEL", "\x07", "\\u0007"],
  ["CR", "a\rb", "a\\u000db"],
  ["DEL", "\x7f", "\\u007f"],
  ["C1", "\x9b31m", "\\u009b31m"],
  ["a turn of direction", "\u202egpj", "\\u202egpj"],
  ["an isolate", "\u2066x", "\\u2066x"],
  ["a line separator", "a\u2028b", "a\\u2028b"],
  ["a tag", "\u{e0041}", "\\udb40\\udc41"],
  ["half a pair", "\ud800", "\\ud800"],
] as const;

it.each(DANGEROUS)("%s is written, not done", (_, text, shown) => {
  expect(printable(text)).toBe(shown);
  expect(JSON.parse(keyText(text))).toBe(text);
  if (text.isWellFormed()) expect(JSON.parse(valueText(new TextEncoder().encode(text)))).toBe(text);
});

it("letters, line ends, tabs and what joins letters stay", () => {
  const text = "½ Brötchen\t日本\n👩\u200d🍳 می\u200cخواهم";
  expect(printable(text)).toBe(text);
});

it("what is printable stays so, and everything becomes so", () => {
  fc.assert(
    fc.property(anyText({ halves: true }), (text) => {
      expect(isPrintable(printable(text))).toBe(true);
    }),
  );
});
