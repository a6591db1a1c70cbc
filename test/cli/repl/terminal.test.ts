/** The REPL at a terminal: streams stand for the screen, and the service is a table of replies. */

import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { History } from "../../../src/cli/repl/history.ts";
import { TerminalRepl } from "../../../src/cli/repl/terminal.ts";
import { answers } from "./support/answers.ts";

const ESCAPES = /\x1b\[[0-9;]*[A-Za-z]/g;

let folder: string;

let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "durable-kv-repl-"));
  file = join(folder, "state", "history");
});

afterEach(() => rmSync(folder, { recursive: true }));

function open() {
  const [input, output] = [new PassThrough(), new PassThrough({ encoding: "utf8" })];
  const repl = new TerminalRepl({ input, output, colour: false });
  const asked: string[] = [];
  let endWith: (ending: "closed" | "broken") => void = () => undefined;
  const conversation = {
    ended: new Promise<"closed" | "broken">((resolve) => (endWith = resolve)),
    ask: async (line: string | Uint8Array): Promise<string> => {
      asked.push(String(line));
      const said = await answers(String(line));
      repl.show(said, "reply");
      return said;
    },
  };
  const code = repl.run({ conversation, completions: answers, history: new History(file) });
  let seen = "";
  return {
    repl,
    asked,
    code,
    endWith,
    type: (keys: string) => void input.write(keys),
    /** Waits until the screen has something that was not there before. */
    until: async (text: string): Promise<void> => {
      while (!seen.replaceAll(ESCAPES, "").includes(text)) {
        const more = output.read() as string | null;
        if (more === null) await new Promise((resolve) => output.once("readable", resolve));
        else seen += more;
      }
      seen = "";
    },
  };
}

describe("at a terminal", () => {
  it("asks line by line, shows the replies, and ends with Ctrl-D", async () => {
    const { type, until, asked, code } = open();
    await until("kv> ");
    type("PUT shopping milk 1\r");
    await until("OK\nkv> ");
    type("\r");
    await until("kv> ");
    type("\x04");
    expect(await code).toBe(0);
    expect(asked).toEqual(["PUT shopping milk 1"]);
  });

  it("completes verbs, bucket names and keys with Tab", async () => {
    const { type, until, asked, code } = open();
    type("K\t");
    await until("KEYS ");
    type("sh\t");
    await until("shopping ");
    // What comes at once is taken for pasted, and of that only the last Tab counts.
    type("mi\t");
    type("\t");
    await until("mint");
    type("l\t");
    await until("lk ");
    type("\r\x04");
    await code;
    expect(asked).toEqual(["KEYS shopping milk "]);
  });

  it("offers what was typed before, and keeps no token", async () => {
    const first = open();
    first.type("GET shopping milk\rAUTH secret\r");
    await first.until("OK\nkv> ");
    first.type("\x1b[A\r");
    first.type("\x04");
    await first.code;
    expect(first.asked).toEqual(["GET shopping milk", "AUTH secret", "GET shopping milk"]);
    expect(readFileSync(file, "utf8")).not.toContain("secret");
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const second = open();
    second.type("\x1b[A\r\x04");
    await second.code;
    expect(second.asked).toEqual(["GET shopping milk"]);
  });

  it("shows what is heard above the line that is being typed", async () => {
    const { repl, type, until, code } = open();
    type("GET sho");
    await until("kv> GET sho");
    repl.show("milk SET TO 1\r\n", "feed");
    await until("milk SET TO 1\nkv> GET sho");
    type("\x15\x04");
    expect(await code).toBe(0);
  });

  it("clears the line at Ctrl-C, and ends at the second one", async () => {
    const { type, until, asked, code } = open();
    type("STOP shopping\x03");
    await until("Ctrl-C once more");
    type("PING\r");
    await until("OK\nkv> ");
    type("\x03");
    await until("Ctrl-C once more");
    type("\x03");
    expect(await code).toBe(130);
    expect(asked).toEqual(["PING"]);
  });

  it.each([
    ["closed", 0],
    ["broken", 1],
  ] as const)("ends when the connection is %s, with %i", async (ending, expected) => {
    const { endWith, code } = open();
    endWith(ending);
    expect(await code).toBe(expected);
  });
});
