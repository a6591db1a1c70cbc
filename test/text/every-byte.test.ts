/** Every byte of a line, from the splitter to the parser. */

import fc from "fast-check";
import { describe, expect, inject, it } from "vitest";
import { LineSplitter, linesOf, type Line } from "../../src/text/lines.ts";
import { parse } from "../../src/text/parser.ts";
import { byteCharacters, bytesOfCharacters } from "../../src/lib/utf8.ts";
import { bytesOf } from "../../src/model/value.ts";
import { cut, EVERY_BYTE, keyOf, putLines, puts, type BytePut } from "../support/byte-lines.ts";

/** What the lines say: keys, and the bytes of their values; the code of a line that is refused. */
function understood(lines: readonly Line[]): unknown[] {
  return lines.map((line) => {
    const command = parse(line);
    if (command.verb === "BAD") return command.failure.code;
    return command.verb === "PUT" ? [command.key, [...bytesOf(command.value)]] : command;
  });
}

function meant(given: readonly BytePut[]): unknown[] {
  return given.map(({ key, value }) => {
    const name = keyOf(key);
    return name === undefined ? "key_invalid" : [name, [...value]];
  });
}

function splitAt(bytes: Uint8Array, places: readonly number[]): Line[] {
  const splitter = new LineSplitter();
  return cut(bytes, places).flatMap((piece) => splitter.push(piece).lines);
}

describe("bytes of a line", () => {
  it("stay what they are, every one of them, in keys and values, among lines that are UTF-8 and not", () => {
    const lines = linesOf(putLines("b", EVERY_BYTE));
    expect(understood(lines)).toEqual(meant(EVERY_BYTE));
  });

  it("stay what they are wherever a stream is cut", () => {
    const some = EVERY_BYTE.filter((_, index) => index % 53 < 3);
    const bytes = putLines("b", some);
    const whole = JSON.stringify(meant(some));
    const places = Array.from({ length: bytes.length + 1 }, (_, place) => place);
    const wrong = places.filter((place) => JSON.stringify(understood(splitAt(bytes, [place]))) !== whole);
    expect(wrong).toEqual([]);
  });

  it("stay what they are, whatever stands beside them", () => {
    const seed = inject("seed");
    fc.assert(
      fc.property(puts, fc.array(fc.nat(), { maxLength: 6 }), (given, places) => {
        expect(understood(splitAt(putLines("b", given), places))).toEqual(meant(given));
      }),
      { seed, numRuns: 100 },
    );
  });

  it("that were lost on their way are not stored: a line with U+FFFD in a text message is refused", () => {
    expect(understood(linesOf("PUT b k \ufffd\nPUT b k é"))).toEqual([
      "quoting_invalid",
      ["k", [...bytesOf("é")]],
    ]);
    expect(understood(linesOf('PUT b k "\\ufffd"'))).toEqual([["k", [...bytesOf("\ufffd")]]]);
    expect(understood(linesOf(new TextEncoder().encode("PUT b k \ufffd")))).toEqual([
      ["k", [...bytesOf("\ufffd")]],
    ]);
  });

  it("are one character each where they are no text, however many", () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => at % 256);
    const text = byteCharacters(bytes);
    expect(text.length).toBe(bytes.length);
    expect(text.slice(0, 256)).toBe(String.fromCharCode(...bytes.subarray(0, 256)));
    expect(bytesOfCharacters(text)).toEqual(bytes);
  });
});
