/** Runs wrangler, which knows the account and the namespaces, and reads its output. */

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { ExitError, EXIT } from "../exit.ts";

/** Which namespace, and where its data is. */
export interface Namespace {
  /** The name of its binding, or its id: 32 hexadecimal digits. */
  readonly name: string;
  readonly where: "remote" | "local";
  /** wrangler's own options. */
  readonly config?: string | undefined;
  readonly env?: string | undefined;
  readonly persistTo?: string | undefined;
}

/** A key as `wrangler kv key list` prints it. */
export interface ListedKey {
  readonly name: string;
  /** In seconds since 1970. */
  readonly expiration?: number | null | undefined;
  readonly metadata?: unknown;
}

/** The longest output that is read, in bytes: a JavaScript string has at most about 512 MiB. */
const MAX_OUTPUT = 500 * 1_048_576;
/** What wrangler prints for a missing key in local storage, and then ends with 0. */
const LOCALLY_MISSING = "Value not found\n";

export class Wrangler {
  readonly #where: Namespace["where"];
  readonly #options: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  readonly #signal: AbortSignal;

  /** @param options.signal ends wrangler when it is aborted */
  constructor(
    { name, where, config, env, persistTo }: Namespace,
    options: { readonly env: Readonly<Record<string, string | undefined>>; readonly signal: AbortSignal },
  ) {
    this.#where = where;
    this.#options = [
      /^[0-9a-f]{32}$/i.test(name) ? "--namespace-id" : "--binding",
      name,
      `--${where}`,
      ...Object.entries({ config, env, "persist-to": persistTo }).flatMap(([option, value]) =>
        value === undefined ? [] : [`--${option}`, value],
      ),
    ];
    this.#env = options.env;
    this.#signal = options.signal;
  }

  /** All keys of the namespace. @throws {ExitError} with wrangler's own message if it fails */
  async list(): Promise<readonly ListedKey[]> {
    return parse(await this.#run("key", "list"), isList);
  }

  /**
   * The values of up to 100 keys, as text: bytes that are not UTF-8 are replaced by U+FFFD. Null: there is no such key
   * any more. Some keys may be missing here: wrangler itself loses `__proto__`.
   * @throws {ExitError} also if the values together are too large for one answer
   */
  async values(keys: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
    const folder = await mkdtemp(join(tmpdir(), "kv-import-"));
    try {
      const file = join(folder, "keys.json");
      await writeFile(file, JSON.stringify(keys.map((name) => ({ name }))), { mode: 0o600 });
      return bulkValues(parse(await this.#run("bulk", "get", file), isObject));
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  /** The exact bytes of one value. @returns undefined if there is no such key any more @throws {ExitError} */
  async value(key: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#run("key", "get", key);
    return this.#where === "local" && bytes.toString() === LOCALLY_MISSING ? undefined : bytes;
  }

  #run(...words: readonly string[]): Promise<Buffer> {
    const [program, ...first] = npx(process.platform, process.execPath);
    const args = [...first, "wrangler", "kv", ...words, ...this.#options];
    return new Promise((resolve, reject) => {
      const child = execFile(
        program,
        args,
        { encoding: "buffer", maxBuffer: MAX_OUTPUT, env: this.#env, signal: this.#signal },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(this.#signal.aborted ? (this.#signal.reason as Error) : failed(words, error, stderr));
        },
      );
      // wrangler must not wait for an answer to a question.
      child.stdin?.end();
    });
  }
}

/**
 * The values of `wrangler kv bulk get`: text from remote storage, objects with a `value` from local storage, and null for
 * a key that does not exist. Anything else is left out.
 */
export function bulkValues(answer: Readonly<Record<string, unknown>>): ReadonlyMap<string, string | null> {
  return new Map(
    Object.entries(answer).flatMap(([key, found]) => {
      const value = isObject(found) ? found["value"] : found;
      return typeof value === "string" || value === null ? [[key, value] as const] : [];
    }),
  );
}

export function isList(json: unknown): json is readonly ListedKey[] {
  return (
    Array.isArray(json) && json.every((item: unknown) => isObject(item) && typeof item["name"] === "string")
  );
}

export function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** How npx is started. On Windows it is a script, which Node starts only by a shell, and a shell changes arguments. */
export function npx(platform: NodeJS.Platform, node: string): readonly [string, ...string[]] {
  return platform === "win32" ? [node, join(dirname(node), "node_modules/npm/bin/npx-cli.js")] : ["npx"];
}

function parse<T>(output: Buffer, is: (json: unknown) => json is T): T {
  const text = output.toString();
  try {
    const json: unknown = JSON.parse(text);
    if (is(json)) return json;
  } catch {
    // Reported below.
  }
  throw new ExitError(
    EXIT.usage,
    `error: wrangler printed something else than expected: ${text.slice(0, 200)}`,
  );
}

function failed(
  words: readonly string[],
  error: Error & { readonly code?: unknown },
  stderr: Buffer,
): ExitError {
  if (error.code === "ENOENT") {
    return new ExitError(
      EXIT.usage,
      "error: npx was not found, which starts wrangler. It comes with Node's npm.",
    );
  }
  const said = stripVTControlCharacters(stderr.toString());
  const why = said.slice(Math.max(0, said.lastIndexOf("[ERROR]"))).split("\n");
  const text = why
    .filter((line) => !/Logs were written to/.test(line))
    .join("\n")
    .trim();
  return new ExitError(
    EXIT.usage,
    `error: wrangler kv ${words.slice(0, 2).join(" ")} failed: ${(text || error.message).slice(-1_000)}`,
  );
}
