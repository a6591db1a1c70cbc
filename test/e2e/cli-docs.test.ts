/** docs/cli.md: what it says to type gives what it says. */

import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { KV, kv, start } from "./support/cli.ts";
import { startServer, temporaryFolder, type RunningServer } from "./support/server.ts";

interface Example {
  /** What stands behind `$`, and on the lines behind it that begin with `>`. */
  readonly command: string;
  readonly output: readonly string[];
}

const guide = await readFile(join(import.meta.dirname, "../../docs/cli.md"), "utf8");
const examples = [...guide.matchAll(/^```console\n([^]*?)^```$/gm)].flatMap(([, block = ""]) =>
  examplesOf(block),
);

function examplesOf(block: string): Example[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const [command = "", ...lines] = text.trimEnd().split("\n");
      const more = lines.findIndex((line) => !line.startsWith("> "));
      const continued = lines.slice(0, more === -1 ? lines.length : more);
      return {
        command: [command, ...continued.map((line) => line.slice(2))].join("\n"),
        output: lines.slice(continued.length),
      };
    });
}

/** `…` stands for anything on its line. */
function pattern(lines: readonly string[]): RegExp {
  const escaped = lines.map((line) =>
    line
      .split("…")
      .map((part) => RegExp.escape(part))
      .join(".*"),
  );
  return new RegExp(`^${escaped.map((line) => `${line}\n`).join("")}$`);
}

let server: RunningServer;
const folder = temporaryFolder();
const shims = join(folder.path, "bin");
const work = join(folder.path, "work");

beforeAll(async () => {
  server = await startServer();
  await Promise.all([mkdir(shims), mkdir(work)]);
  const shim = join(shims, "kv");
  await writeFile(shim, `#!/bin/sh\nexec ${KV.join(" ")} "$@"\n`);
  await chmod(shim, 0o755);
});
afterAll(async () => {
  await Promise.all([server.stop(), folder.remove()]);
});

it("has examples of all commands that print", () => {
  const verbs = "create put get delete incr keys buckets lookup stop exit watch monitor export import repl";
  const typed = examples.map(({ command }) => command).join("\n");
  for (const verb of verbs.split(" ")) expect(typed).toMatch(new RegExp(`\\bkv ${verb}\\b`));
});

/** One `kv` whose words a shell would hand on as they are, and that touches no file: it needs no process of its own. */
const PLAIN = /^kv (?!export|import|repl|watch|monitor|completion)[\w /:.,=-]+$/;

// One after the other: each stands on what those before it have done.
it.each(examples)("$ $command", async ({ command, output }) => {
  if (PLAIN.test(command)) {
    const { out, err } = await kv({ url: server.http }, ...command.split(/ +/).slice(1));
    const shown = out + err;
    expect(shown === "" || shown.endsWith("\n") ? shown : `${shown}\n`).toMatch(pattern(output));
    return;
  }
  const environment = { KV_URL: server.http, PATH: shims + delimiter + String(process.env["PATH"]) };
  // As a terminal shows it: stderr among stdout.
  const running = start(["bash", "-c", `exec 2>&1\n${command}`], environment, work);
  running.end("");
  const interrupted = output.at(-1) === "^C";
  const expected = pattern(interrupted ? output.slice(0, -1) : output);
  if (interrupted) {
    await running.until(expected);
    running.interrupt();
  }
  const { out, code } = await running.ended;
  expect(out === "" || out.endsWith("\n") ? out : `${out}\n`).toMatch(expected);
  if (interrupted) expect(code).toBe(130);
});
