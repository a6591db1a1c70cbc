/** Completion of a line of the text protocol. */

import { describe, expect, it } from "vitest";
import { complete } from "../../../src/cli/repl/completer.ts";
import { answers } from "./support/answers.ts";

describe("completion", () => {
  it.each([
    ["g", ["GET ", "GETDEL "], "g"],
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
