/** Every example in the documents does what the document says. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it, inject } from "vitest";
import { bytes, Kv, text } from "../../src/client/index.ts";
import { KV, start } from "./support/cli.ts";
import { blocks, consoleExamples, pattern, program, twoTerminals, typed } from "./support/documents.ts";
import { base64, fakeWrangler } from "./support/fake-wrangler.ts";
import { startBound } from "./support/bound-worker.ts";
import { startServer, temporaryFolder, type RunningServer } from "./support/server.ts";
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
    expect(expected).toEqual(["2", "eggs 6"]);
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
  it.each(["ts keyv", "ts unstorage", "ts http"])(
    "shows a program that prints what it says: %s",
    async (language) => {
      const { expected, printed } = await program("docs/libraries.md", server.http, { language });
      expect(expected.length).toBeGreaterThan(0);
      expect(printed).toEqual(expected);
    },
  );
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

const WRANGLER = resolve(import.meta.dirname, "../../node_modules/wrangler/bin/wrangler.js");
/** Keeps wrangler from asking questions. */
const QUIET = {
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_METRICS: "false",
};
/** The settings of a Worker that has a namespace. */
const OLD = `name = "old"
compatibility_date = "2026-10-01"
kv_namespaces = [{ binding = "CARTS", id = "carts" }]
`;

describe("docs/from-workers-kv.md", () => {
  it("shows a cart that is kept", async () => {
    const [example = ""] = await blocks("docs/from-workers-kv.md", "ts");
    const source = `export default { async fetch(request, env) {\n${example}\nreturn Response.json(cart); } };`;
    expect(await answered(source, ["/"])).toEqual(['{"milk":2}']);
  });

  it("shows how wrangler's files are imported", async () => {
    const folder = temporaryFolder();
    const PATH = folder.path + delimiter + String(process.env["PATH"]);
    const { folder: fake } = await fakeWrangler(folder.path, {
      a: { base64: base64("1"), expiration: 1_893_456_000, metadata: [1] },
    });
    expect(fake).toBe(folder.path);
    await writeFile(join(folder.path, "kv"), `#!/bin/sh\nexec ${KV.join(" ")} "$@"\n`, { mode: 0o755 });
    await new Kv({ url: server.http }).create("carts");
    const [files = ""] = await blocks("docs/from-workers-kv.md", "sh files");
    const environment = { PATH, KV_URL: server.http };
    const { out } = await start(["bash", "-ec", files], environment, folder.path).ended;
    expect(out).toBe("carts: 1 keys, 1 imported, 0 unchanged, 0 expired, 0 failed\n");
    expect(await new Kv({ url: server.http }).bucket("carts").entry("a")).toMatchObject({
      expires: new Date("2030-01-01T00:00:00Z"),
      metadata: [1],
    });
    await new Kv({ url: server.http }).stop("carts");
    await folder.remove();
  });

  it.runIf(inject("sizes").movesFromWrangler)(
    "shows a command that moves a namespace, tried with wrangler's own storage on this machine",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "durable-kv-move-"));
      const run = async (command: string): Promise<string> => {
        const PATH = folder + delimiter + String(process.env["PATH"]);
        // wrangler is large: it is compiled once.
        const compiled = { NODE_COMPILE_CACHE: join(folder, "compiled") };
        const environment = { PATH, KV_URL: server.http, ...QUIET, ...compiled };
        const running = start(["bash", "-c", command], environment, folder);
        const { code, out, err } = await running.ended;
        if (code !== 0) throw new Error(err);
        return out;
      };
      try {
        const [move = ""] = await blocks("docs/from-workers-kv.md", "sh move");
        const local = move.trimEnd().replace("CARTS", "CARTS --local");
        await writeFile(join(folder, "wrangler.toml"), OLD);
        await writeFile(
          join(folder, "npx"),
          `#!/bin/sh\nshift; exec ${process.execPath} ${WRANGLER} "$@"\n`,
          {
            mode: 0o755,
          },
        );
        await writeFile(join(folder, "kv"), `#!/bin/sh\nexec ${KV.join(" ")} "$@"\n`, { mode: 0o755 });
        const expiration = Math.ceil(Date.now() / 1_000) + 86_400;
        const old = Array.from({ length: 150 }, (_, n) => ({ key: `k${n}`, value: `${n}` }));
        const odd = { key: "an n/é", value: 'x "y"\n\0', expiration, metadata: { v: [1] } };
        const photo = { key: 'photo\'s "key"', value: "/wD+", base64: true };
        const lost = { key: "__proto__", value: "\ufeffa" };
        const refused = { key: "nul\0", value: "1" };
        await writeFile(join(folder, "old.json"), JSON.stringify([...old, odd, photo, lost, refused]));
        await run("npx wrangler kv bulk put old.json --binding CARTS --local");

        expect(await run(`${local} || [ $? = 3 ]`)).toBe(
          "carts: 154 keys, 153 imported, 0 unchanged, 0 expired, 1 failed\n",
        );
        const carts = new Kv({ url: server.http }).bucket<Record<string, string>>("carts", { codec: text });
        expect(await carts.get("k149")).toBe("149");
        expect(await carts.get("__proto__")).toBe(lost.value);
        expect(await carts.entry("an n/é")).toMatchObject({
          value: odd.value,
          metadata: odd.metadata,
          expires: new Date(expiration * 1_000),
        });
        const moved = new Kv({ url: server.http }).bucket<Record<string, Uint8Array>>("carts", {
          codec: bytes,
        });
        expect(await moved.get(photo.key)).toEqual(Uint8Array.of(255, 0, 254));
        await moved.delete(photo.key);
        expect(await run(`${local} --resume || [ $? = 3 ]`)).toBe(
          "carts: 154 keys, 1 imported, 0 unchanged, 0 expired, 1 failed, 152 already in the bucket\n",
        );
      } finally {
        await rm(folder, { recursive: true });
      }
      // wrangler takes its time to start, nine times.
    },
    300_000,
  );
});
