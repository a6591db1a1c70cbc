/** The examples in the documents, as they stand there. */

import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "../../..");
/** What is this package's own, as it is here. */
const OWN: Readonly<Record<string, string>> = {
  "durable-kv/better-auth": pathToFileURL(join(ROOT, "src/better-auth/index.ts")).href,
  "durable-kv/client": pathToFileURL(join(ROOT, "src/client/index.ts")).href,
  "durable-kv/unstorage": pathToFileURL(join(ROOT, "src/unstorage/index.ts")).href,
  "durable-kv/keyv": pathToFileURL(join(ROOT, "src/keyv/index.ts")).href,
};
/** What else the documents import. */
const PACKAGES: Readonly<Record<string, string>> = {
  keyv: import.meta.resolve("keyv"),
  zod: import.meta.resolve("zod"),
  unstorage: import.meta.resolve("unstorage"),
  "unstorage/drivers/http": import.meta.resolve("unstorage/drivers/http"),
};
/** Where the documents say that the service is. */
export const DOCUMENTED = "http://127.0.0.1:8787";

const run = promisify(execFile);

export interface Example {
  readonly command: string;
  /** What it prints; `…` stands for anything. */
  readonly output: string;
}

/** The commands of a document's console blocks, in order. */
export async function consoleExamples(path: string): Promise<Example[]> {
  const examples: Example[] = [];
  for (const block of await blocks(path, "console")) {
    for (const part of block.split(/^\$ /m).slice(1)) {
      const [command = "", ...output] = part.trimEnd().split("\n");
      examples.push({ command, output: output.join("\n") });
    }
  }
  return examples;
}

/** Runs a command as it would be typed in, and says what it printed. */
export async function typed(command: string, url: string): Promise<string> {
  const { stdout } = await run("bash", ["-c", command.replaceAll(DOCUMENTED, url)]);
  return stdout.replaceAll("\r", "").trimEnd();
}

/** Whether what was printed is what was to be printed. */
export function pattern(output: string): RegExp {
  return new RegExp(`^${escaped(output)}$`);
}

function escaped(output: string): string {
  const parts = output.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return parts.join(String.raw`[\s\S]*?`);
}

export interface Printed {
  readonly expected: readonly string[];
  readonly printed: readonly string[];
}

export interface ProgramOptions {
  /** What the program's blocks are marked with; `ts` by default. */
  readonly language?: string;
  /** Where the document says that the service is. */
  readonly documented?: string;
  /** A folder of packages, in place of those of this repository. */
  readonly packages?: string;
}

/** Runs all TypeScript of a document, or all that is marked so, as one program. */
export async function program(
  path: string,
  url: string,
  { language = "ts", documented = DOCUMENTED, packages }: ProgramOptions = {},
): Promise<Printed> {
  const source = (await blocks(path, language)).join("\n");
  const expected = expectedOf(source);
  const folder = await mkdtemp(join(tmpdir(), "durable-kv-docs-"));
  try {
    const file = join(folder, "example.ts");
    if (packages !== undefined) await symlink(packages, join(folder, "node_modules"));
    const places = packages === undefined ? { ...OWN, ...PACKAGES } : OWN;
    await writeFile(file, imported(source, places).replaceAll(documented, url));
    const { stdout } = await run(process.execPath, ["--disable-warning=ExperimentalWarning", file], {
      env: { ...process.env, NO_COLOR: "1" },
    });
    return { expected, printed: stdout.trimEnd().split("\n") };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What a program says that it prints: what stands behind `//` on the lines that print. */
export function expectedOf(source: string): string[] {
  return [...source.matchAll(/console\.log\(.*\);?\s*\/\/ (.*)$/gm)].map(([, text = ""]) => text);
}

/** With the places of these packages; others are found where the program is. */
function imported(source: string, places: Readonly<Record<string, string>>): string {
  return source.replaceAll(/(?<=^import .* from )"(.*)"/gm, (_, name: string) =>
    JSON.stringify(places[name] ?? name),
  );
}

/** A document's blocks in a language, `ts`, or of those that are marked so: `ts keyv`. */
export async function blocks(path: string, language: string): Promise<string[]> {
  const text = await readFile(join(ROOT, path), "utf8");
  return [...text.matchAll(/^( *)```(\w[\w ]*)?\n([\s\S]*?)^\1```$/gm)]
    .filter(([, , name = ""]) => name === language)
    .map(([, indent = "", , block = ""]) => block.replaceAll(new RegExp(`^${indent}`, "gm"), ""));
}

/**
 * Types what is marked `sh follow` into one terminal, and, once that is being answered, `sh meanwhile` into another one.
 * Waits for the first one to show what is marked `text followed`.
 * @returns what the first one has shown, and the second one
 */
export async function twoTerminals(path: string, url: string): Promise<readonly [string, string]> {
  const here = async (language: string): Promise<string> =>
    (await blocks(path, language)).join("").replaceAll(DOCUMENTED, url);
  const follow = (await here("sh follow")).replace("curl -N ", "exec curl -sNv ");
  const first = spawn("bash", ["-c", follow]);
  try {
    await shows(first.stderr, /^< content-type: text\/event-stream/im);
    const second = await typed(await here("sh meanwhile"), url);
    const followed = (await here("text followed")).trimEnd();
    return [await shows(first.stdout, new RegExp(escaped(followed))), second];
  } finally {
    first.kill();
  }
}

/** Waits until a stream has brought it. @returns all that came */
async function shows(stream: Readable, expected: RegExp): Promise<string> {
  let text = "";
  for await (const part of stream.iterator({ destroyOnReturn: false })) {
    text += String(part).replaceAll("\r", "");
    if (expected.test(text)) return text;
  }
  throw new Error(`It ended with ${text}, without ${expected}.`);
}
