/** Bytes that are split into lines. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineSplitter, linesOf, MAX_LINE_BYTES } from "../../src/text/lines.ts";
import { anyText } from "../support/any-text.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const texts = (splitter: LineSplitter, ...chunks: readonly string[]): string[] =>
  chunks.flatMap((chunk) => splitter.push(encode(chunk)).lines.map(({ text }) => text));

describe("a stream of bytes", () => {
  it("is cut at LF and at CRLF", () => {
    expect(texts(new LineSplitter(), "a\nb\r\n\r\nc\n")).toEqual(["a", "b", "", "c"]);
  });

  it("keeps a line together whose packets are apart", () => {
    expect(texts(new LineSplitter(), "GET sho", "pping mi", "lk\r", "\nPING\n")).toEqual([
      "GET shopping milk",
      "PING",
    ]);
  });

  it("has no line without its ending", () => {
    expect(texts(new LineSplitter(), "PUT a b 1")).toEqual([]);
  });

  it("gives the same lines wherever its chunks begin and end", () => {
    const line = anyText({ maxLength: 20, halves: true }).map((text) =>
      text.toWellFormed().replaceAll(/[\r\n]/g, ""),
    );
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(400), { maxLength: 10 }), (lines, cuts) => {
        const bytes = encode(lines.map((text) => `${text}\r\n`).join(""));
        const splitter = new LineSplitter();
        const found: string[] = [];
        let from = 0;
        for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
          const until = Math.min(Math.max(cut, from), bytes.length);
          found.push(...splitter.push(bytes.subarray(from, until)).lines.map(({ text }) => text));
          from = until;
        }
        expect(found).toEqual(lines);
      }),
    );
  });

  it("tells a line that is no UTF-8, and leaves the others text", () => {
    const { lines } = new LineSplitter().push(
      new Uint8Array([...encode("é\n"), 0xff, 0x0a, ...encode("z\n")]),
    );
    expect(lines).toEqual([
      { text: "é", encoding: "utf-8" },
      { text: "\xff", encoding: "bytes" },
      { text: "z", encoding: "utf-8" },
    ]);
  });

  it("reports a line that grows over the limit, and holds no more of it", () => {
    const splitter = new LineSplitter();
    const half = new Uint8Array(MAX_LINE_BYTES / 2).fill(0x61);
    expect(splitter.push(half).tooLong).toBe(false);
    expect(splitter.push(half).tooLong).toBe(false);
    expect(splitter.push(encode("a")).tooLong).toBe(true);
  });

  it("reports a line over the limit that comes with its end, after the lines before it", () => {
    const splitter = new LineSplitter();
    splitter.push(new Uint8Array(MAX_LINE_BYTES).fill(0x61));
    expect(splitter.push(encode("a\nPING\n"))).toEqual({ lines: [], tooLong: true });
  });
});

describe("a message", () => {
  it("needs no ending after its last line", () => {
    expect(linesOf("a\r\nb").map(({ text }) => text)).toEqual(["a", "b"]);
    expect(linesOf("a\n").map(({ text }) => text)).toEqual(["a"]);
  });

  it("that is empty is one empty line, an unknown command", () => {
    expect(linesOf("").map(({ text }) => text)).toEqual([""]);
  });
});
