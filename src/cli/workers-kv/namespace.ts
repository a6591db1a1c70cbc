/** Reads a namespace of Workers KV with wrangler: its keys, and then their values, page by page. */

import { ExitError } from "../exit.ts";
import { ahead } from "./ahead.ts";
import type { Found } from "./entry.ts";
import type { ListedKey, Wrangler } from "./wrangler.ts";

/** The most keys of one `wrangler kv bulk get`. */
const PAGE = 100;
/** What wrangler puts in place of bytes that are not UTF-8. A text may also contain it itself. */
const REPLACED = "\ufffd";

/** The reading part of {@link Wrangler}. */
export type Values = Pick<Wrangler, "value" | "values">;

/**
 * What the keys have, in pages of up to 100.
 * @param atOnce how many pages are read at once
 * @throws {ExitError} if wrangler fails
 */
export function pagesOf(
  keys: readonly ListedKey[],
  wrangler: Values,
  { atOnce }: { readonly atOnce: number },
): AsyncGenerator<readonly Found[], void, void> {
  return ahead(chunksOf(keys, PAGE), atOnce, (page) => read(page, wrangler));
}

async function read(keys: readonly ListedKey[], wrangler: Values): Promise<readonly Found[]> {
  let values: ReadonlyMap<string, string | null>;
  try {
    values = await wrangler.values(keys.map(({ name }) => name));
  } catch (error) {
    if (!isWranglers(error)) throw error;
    const [only] = keys;
    if (keys.length === 1 && only !== undefined) return [await readAlone(only, wrangler)];
    // The values may be too large together: Workers KV sends at most 25 MB at once. If it is something else, one key
    // alone fails as well, and its error ends the import.
    const half = Math.ceil(keys.length / 2);
    return [...(await read(keys.slice(0, half), wrangler)), ...(await read(keys.slice(half), wrangler))];
  }
  const found: Found[] = [];
  for (const key of keys) {
    const value = values.get(key.name);
    if (value === null) found.push({ kind: "gone", key: key.name });
    // The service refuses such a key, whatever its value; no program can be given it as an argument.
    else if (value !== undefined && (!value.includes(REPLACED) || key.name.includes("\0")))
      found.push(entryOf(key, value));
    else found.push(await readAlone(key, wrangler));
  }
  return found;
}

async function readAlone(key: ListedKey, wrangler: Values): Promise<Found> {
  const { name } = key;
  if (/^-|\0/.test(name)) {
    const detail =
      "The value is not UTF-8, or contains U+FFFD, and wrangler can't read it exactly, because its key begins with -. Copy it with a program.";
    return { kind: "unreadable", key: name, detail };
  }
  const value = await wrangler.value(name);
  return value === undefined ? { kind: "gone", key: name } : entryOf(key, value);
}

function entryOf({ name, expiration, metadata }: ListedKey, value: string | Uint8Array): Found {
  return { kind: "entry", entry: { key: name, value, expiration, metadata } };
}

function isWranglers(error: unknown): boolean {
  return error instanceof ExitError && error.message !== "";
}

function* chunksOf<T>(all: readonly T[], size: number): Generator<readonly T[], void, void> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size);
}
