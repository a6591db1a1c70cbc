/** The history of lines, kept in a file. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { History, historyFile } from "../../../src/cli/repl/history.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "durable-kv-repl-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe("the history", () => {
  it("is in the state folder", () => {
    expect(historyFile({ XDG_STATE_HOME: "/state" })).toBe(join("/state", "durable-kv", "history"));
    expect(historyFile({ HOME: "/home/ada" })).toMatch(/durable-kv.history$/);
  });

  it("keeps a thousand lines", () => {
    const long = join(folder, "long");
    writeFileSync(long, Array.from({ length: 2_001 }, (_, n) => `GET b ${n}\n`).join(""));
    expect(new History(long).read()).toHaveLength(1_000);
    expect(readFileSync(long, "utf8")).toMatch(/^GET b 1001\n/);
  });

  it("that can't be kept is none", () => {
    const history = new History(join(folder, "\0"));
    history.add("PING");
    expect(history.read()).toEqual([]);
  });
});
