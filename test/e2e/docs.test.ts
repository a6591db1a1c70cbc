/** Every example in the documents does what the document says. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blocks, consoleExamples, pattern, program, twoTerminals, typed } from "./support/documents.ts";
import { startBound } from "./support/bound-worker.ts";
import { startServer, type RunningServer } from "./support/server.ts";
import { openTcp } from "./support/transports.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

describe("README.md", () => {
  it("shows the guide's session", async () => {
    const [session = ""] = await blocks("README.md", "");
    const lines = session.split("\n").slice(0, -1);
    const isCommand = (line: string): boolean => /^[A-Z]+ [a-z]/.test(line);
    const { ask, close } = await openTcp(server.tcpPort);
    const commands = lines.filter(isCommand);
    const replies = lines.filter((line) => !isCommand(line));
    expect([commands.length, replies.length]).toEqual([7, 9]);
    const sent = commands.map((line) => `${line}\r\n`).join("");
    expect(await ask(sent, replies.length)).toBe(replies.map((line) => `${line}\r\n`).join(""));
    close();
  });

  it("shows a program that prints what it says", async () => {
    const { expected, printed } = await program("README.md", server.http);
    expect(expected).toEqual(["milk 2"]);
    expect(printed).toEqual(expected);
  });

  it("shows in one terminal what happens in the other", async () => {
    const [first, second] = await twoTerminals("README.md", server.http);
    expect(first).toContain("event: DOWN");
    expect(second).toContain('"code":"bucket_not_found"');
  });
});

describe("docs/watch.md", () => {
  it("shows in one terminal what happens in the other", async () => {
    const [first] = await twoTerminals("docs/watch.md", server.http);
    expect(first).toContain("event: end_of_snapshot");
  });
});

describe.each([
  ["README.md", 6],
  ["docs/http.md", 12],
])("%s", (path, least) => {
  it("shows what happens", async () => {
    const examples = await consoleExamples(path);
    expect(examples.length).toBeGreaterThan(least);
    for (const { command, output } of examples) {
      expect(await typed(command, server.http), command).toMatch(pattern(output));
    }
  });
});

describe("docs/client.md", () => {
  it("is one program, and prints what it says", async () => {
    const { expected, printed } = await program("docs/client.md", server.http);
    expect(expected.length).toBeGreaterThan(12);
    expect(printed).toEqual(expected);
  });
});

describe("docs/libraries.md", () => {
  it.each(["ts keyv", "ts unstorage"])("shows a program that prints what it says: %s", async (language) => {
    const { expected, printed } = await program("docs/libraries.md", server.http, language);
    expect(expected.length).toBeGreaterThan(3);
    expect(printed).toEqual(expected);
  });
});

/** Runs a Worker's source with the service bound to it, and asks it. */
async function answered(source: string, paths: readonly string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "durable-kv-docs-"));
  await writeFile(join(folder, "worker.ts"), source);
  const worker = await startBound(join(folder, "worker.ts"));
  try {
    const answers = [];
    for (const path of paths) answers.push((await worker.ask("GET", path)).text);
    return answers;
  } finally {
    await worker.stop();
    await rm(folder, { recursive: true });
  }
}

describe("docs/workers.md", () => {
  it("shows a Worker that counts its visitors", async () => {
    const [source = ""] = await blocks("docs/workers.md", "ts");
    expect(await answered(source, ["/a", "/a", "/b"])).toEqual([
      "You are number 1.",
      "You are number 2.",
      "You are number 1.",
    ]);
  });
});

describe("docs/from-workers-kv.md", () => {
  it("shows a cart that is kept", async () => {
    const [example = ""] = await blocks("docs/from-workers-kv.md", "ts");
    const source = `export default { async fetch(request, env) {\n${example}\nreturn Response.json(cart); } };`;
    expect(await answered(source, ["/"])).toEqual(['{"milk":2}']);
  });
});
