/** Completion of a line of the text protocol. */

import { describe, expect, it } from "vitest";
import { complete } from "../../../src/cli/repl/completer.ts";

/** A service that has the bucket `shopping`, with `milk` and `mint`. */
const answers = (line: string): Promise<string> => {
  const known: Readonly<Record<string, string>> = {
    "BUCKETS sh": "shopping\r\nOK\r\n",
    "KEYS shopping mi": "milk\r\nmint\r\nOK\r\n",
    "KEYS shopping mil": "milk\r\nOK\r\n",
    "KEYS nowhere": "NOT FOUND\r\n",
  };
  return Promise.resolve(known[line] ?? "OK\r\n");
};

describe("completion", () => {
  it.each([
    ["g", ["GET "], "g"],
    ["S", ["STOP ", "SUBSCRIBE "], "S"],
    ["GET sh", ["shopping "], "sh"],
    ["GET shopping mi", ["milk ", "mint "], "mi"],
    ["KEYS shopping mi", ["milk ", "mint "], "mi"],
    ["GET nowhere ", [], ""],
    ["AUTH se", [], "se"],
    ["PING x", [], "x"],
    ['GET shopping "mi', [], '"mi'],
  ])("of %j is %j", async (line, candidates, partial) => {
    expect(await complete(line, answers)).toEqual([candidates, partial]);
  });
});
