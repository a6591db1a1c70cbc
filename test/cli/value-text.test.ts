/** Keys and values as text on one line. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyText, valueJson, valueText } from "../../src/cli/value-text.ts";
import { anyText } from "../support/any-text.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

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
