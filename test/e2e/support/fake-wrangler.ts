/** An `npx` that stands in for `npx wrangler kv`, with a namespace that a test can look at and change. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface OldEntry {
  /** Its bytes, in base64. */
  readonly base64: string;
  readonly expiration?: number;
  readonly metadata?: unknown;
  /** Listed, and gone when its value is asked for. */
  readonly gone?: boolean;
}

export interface FakeWrangler {
  /** For `PATH`: the folder of the program. */
  readonly folder: string;
  /** What it has been asked, without the names of files. */
  asked(): Promise<readonly string[]>;
  /** From now on, what begins with this fails. */
  fail(words: string | undefined): Promise<void>;
  /** From now on, what begins with this never ends by itself. */
  hang(words: string): Promise<void>;
}

/** The program: it knows what the real one prints, in remote and in local storage, and what it can't do. */
const PROGRAM = `
const { appendFileSync, readFileSync } = require("node:fs");
const folder = __dirname;
const [wrangler, kv, noun, verb, ...rest] = process.argv.slice(2);
const positional = noun === "key" && verb === "list" ? [] : [rest.shift()];
const words = [noun, verb, ...(noun === "bulk" ? [] : positional), ...rest].join(" ");
appendFileSync(folder + "/asked.txt", JSON.stringify(words) + "\\n");
const { entries, failing, hanging } = JSON.parse(readFileSync(folder + "/namespace.json", "utf8"));
const fail = (why) => {
  console.error("\\u001b[31mX [41;31m[\\u001b[41;97mERROR\\u001b[41;31m]\\u001b[0m " + why + "\\n\\nLogs were written to a file");
  process.exit(1);
};
if (wrangler !== "wrangler" || kv !== "kv") fail("unknown command");
const local = rest.includes("--local");
if (failing !== undefined && words.startsWith(failing)) fail("A request to the Cloudflare API failed.");
if (hanging !== undefined && words.startsWith(hanging)) setInterval(() => undefined, 1_000);
else if (words.startsWith("key list")) {
  const keys = Object.entries(entries).map(([name, { expiration, metadata }]) => ({ name, expiration, metadata }));
  console.log(JSON.stringify(keys, undefined, 2));
} else if (words.startsWith("bulk get")) {
  const keys = JSON.parse(readFileSync(positional[0], "utf8")).map(({ name }) => name);
  if (keys.length > 100) fail("too many keys");
  if (keys.some((key) => entries[key].base64 === "dG9vIGxhcmdl") && keys.length > 1) fail("413: too large");
  const text = ({ base64, gone }) => (gone ? null : Buffer.from(base64, "base64").toString());
  const values = keys.map((key) => [key, local ? { value: text(entries[key]) } : text(entries[key])]);
  console.error("This is an open beta command.");
  console.log(JSON.stringify(Object.fromEntries(values.filter(([key]) => key !== "lost")), null, 2));
} else {
  if (positional[0].startsWith("-")) fail("Not enough non-option arguments");
  const { base64, gone } = entries[positional[0]];
  if (gone && !local) fail("404: key not found");
  process.stdout.write(gone ? "Value not found\\n" : Buffer.from(base64, "base64"));
}
`;

export const base64 = (value: string | Uint8Array): string => Buffer.from(value).toString("base64");

export async function fakeWrangler(
  folder: string,
  entries: Readonly<Record<string, OldEntry>>,
): Promise<FakeWrangler> {
  const save = (how: { readonly failing?: string; readonly hanging?: string }): Promise<void> =>
    writeFile(join(folder, "namespace.json"), JSON.stringify({ entries, ...how }));
  await save({});
  await writeFile(join(folder, "asked.txt"), "");
  await writeFile(join(folder, "npx"), `#!${process.execPath}\n${PROGRAM}`, { mode: 0o755 });
  return {
    folder,
    asked: async () =>
      (await readFile(join(folder, "asked.txt"), "utf8"))
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as string),
    fail: (failing) => save(failing === undefined ? {} : { failing }),
    hang: (hanging) => save({ hanging }),
  };
}
