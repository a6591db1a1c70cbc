/** Colours of the replies. */

import { describe, expect, it } from "vitest";
import { feed, replies, wantsColour } from "../../../src/cli/repl/colours.ts";

describe("colour", () => {
  it("says how it went: the last line, and no value that looks like it", () => {
    expect(replies("OK\nOK\n")).toBe("OK\n\x1b[32mOK\x1b[39m\n");
    expect(replies("NOT FOUND\n")).toBe("\x1b[31mNOT FOUND\x1b[39m\n");
    expect(replies("ERROR TIMEOUT No reply.\n")).toBe("\x1b[31mERROR TIMEOUT No reply.\x1b[39m\n");
    expect(feed("a SET TO 1\n")).toBe("\x1b[36ma SET TO 1\x1b[39m\n");
  });

  it("is for terminals, and for who wants it", () => {
    expect(wantsColour(true, {})).toBe(true);
    expect(wantsColour(false, {})).toBe(false);
    expect(wantsColour(true, { NO_COLOR: "1" })).toBe(false);
    expect(wantsColour(true, { TERM: "dumb" })).toBe(false);
  });
});
