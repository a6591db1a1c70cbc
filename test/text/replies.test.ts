/** Replies as lines. */

import fc from "fast-check";
import { describe, expect, inject, it } from "vitest";
import { changeLine, errorLine, reply, signalLine } from "../../src/text/replies.ts";
import { linesOf } from "../../src/text/lines.ts";
import { parse } from "../../src/text/parser.ts";
import { ERROR_CODES, failure } from "../../src/model/errors.ts";
import { anyText } from "../support/any-text.ts";

const seed = inject("seed");

/** What other programs take for the end of a line, or for an order to a terminal. */
const RAW = /[\0-\x1f\x7f-\x9f\u2028\u2029]/;

/** Words with much in them that could be taken for another line. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      "\r\n",
      "\n",
      "\r",
      "\0",
      "\x1b",
      "\x7f",
      "\x85",
      "\u2028",
      "\u2029",
      "\ud800",
      '"',
      "\\",
    ),
    fc.constantFrom("OK", "DOWN b x", " "),
    anyText({ minLength: 1, maxLength: 1, halves: true }),
  ),
  maxLength: 40,
});

/** One line, with its ending, and nothing raw in it. */
function isOneLine(line: string): boolean {
  return line.endsWith("\r\n") && !RAW.test(line.slice(0, -2)) && line.isWellFormed();
}

describe("a line of the text protocol", () => {
  it("is one line for every error code, whatever its detail says", () => {
    fc.assert(
      fc.property(fc.constantFrom(...ERROR_CODES), hostile, (code, detail) => {
        expect(errorLine(failure(code, detail))).toSatisfy(isOneLine);
        expect(reply({ kind: "error", failure: failure(code, detail) })).toSatisfy(isOneLine);
      }),
      { seed },
    );
  });

  it("keeps a detail that is plain text as it is", () => {
    const detail = 'Äpfel: "a\\b" is no key.';
    expect(errorLine(failure("key_invalid", detail))).toBe(`ERROR KEY_INVALID ${detail}\r\n`);
  });

  it("is one line for every signal, change, name and key", () => {
    fc.assert(
      fc.property(hostile, hostile, (one, other) => {
        expect(signalLine({ kind: "DOWN", bucket: one, reason: other })).toSatisfy(isOneLine);
        expect(changeLine({ kind: "put", key: one, value: other })).toSatisfy(isOneLine);
        expect(changeLine({ kind: "delete", key: one })).toSatisfy(isOneLine);
        expect(changeLine({ kind: "large", key: one })).toSatisfy(isOneLine);
        const lines = reply({ kind: "names", names: [one, other] }).split("\r\n");
        expect(lines.length).toBe(4);
        for (const line of lines) expect(`${line}\r\n`).toSatisfy(isOneLine);
        expect(reply({ kind: "ok_noproc", bucket: one }).split("\r\n").length).toBe(3);
      }),
      { seed },
    );
  });

  it("shows a key such that it can be typed in again", () => {
    fc.assert(
      fc.property(
        hostile.filter((key) => key !== "" && key.isWellFormed() && !key.includes("\0")),
        (key) => {
          const [shown = ""] = reply({ kind: "names", names: [key] }).split("\r\n");
          const [line] = linesOf(`GET b ${shown}\n`);
          expect(line && parse(line)).toMatchObject({ verb: "GET", key });
        },
      ),
      { seed },
    );
  });
});
