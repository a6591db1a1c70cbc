/** Files of wrangler with values: what `kv bulk put` reads, and what `kv bulk get` prints. */

import { ExitError, EXIT } from "../exit.ts";
import type { Found } from "./entry.ts";
import { bulkValues, isList, isObject, type ListedKey } from "./wrangler.ts";

/** A file that was read. */
export interface Given {
  /** For messages. */
  readonly name: string;
  readonly text: string;
}

/**
 * What a file has. Values of `kv bulk get` have neither expiry nor metadata: these come from `keys`, the output of
 * `kv key list`.
 * @throws {ExitError} if it is another file, or `keys` is missing or not needed
 */
export function foundIn(file: Given, keys: Given | undefined): readonly Found[] {
  const json = parse(file);
  if (Array.isArray(json)) {
    if (keys !== undefined) throw refused(file, "has expiry and metadata itself. Leave --keys out.");
    return json.map((item: unknown) => written(file, item));
  }
  if (!isObject(json)) throw refused(file, NEITHER);
  if (keys === undefined)
    throw refused(
      file,
      "has values without expiry and metadata. Add --keys, the output of `wrangler kv key list`.",
    );
  const listed = listedIn(keys);
  const values = bulkValues(json);
  if (values.size < Object.keys(json).length) throw refused(file, NEITHER);
  return [...values].map(([key, value]): Found => {
    const known = listed.get(key);
    if (known === undefined)
      throw refused(keys, `lacks the key ${JSON.stringify(key)} of ${file.name}. List the keys again.`);
    if (value === null) return { kind: "gone", key };
    if (value.includes("\ufffd")) return { kind: "unreadable", key, detail: DAMAGED };
    return { kind: "entry", entry: { key, value, expiration: known.expiration, metadata: known.metadata } };
  });
}

const DAMAGED =
  "The value contains U+FFFD, which wrangler puts in place of bytes that are not UTF-8. Give --from-workers-kv the binding: then the bytes are read.";
const NEITHER = "is not what `wrangler kv bulk put` reads, nor what `wrangler kv bulk get` prints.";

function parse({ name, text }: Given): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refused({ name, text }, `is not JSON: ${(error as Error).message}`);
  }
}

/** An entry in the form of `kv bulk put`. */
function written(file: Given, item: unknown): Found {
  const {
    key,
    name,
    value,
    base64,
    expiration,
    expiration_ttl: ttl,
    metadata,
  } = (item ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof name === "string" && key === undefined)
    throw refused(
      file,
      "is a list of keys, without values. Give it as --keys, and the output of `wrangler kv bulk get` as the file.",
    );
  if (typeof key !== "string" || typeof value !== "string" || !isTime(expiration) || !isTime(ttl))
    throw refused(file, NEITHER);
  const bytes = base64 === true ? Buffer.from(value, "base64") : value;
  return { kind: "entry", entry: { key, value: bytes, expiration, ttl, metadata } };
}

function isTime(given: unknown): given is number | null | undefined {
  return given === undefined || given === null || typeof given === "number";
}

function listedIn(keys: Given): ReadonlyMap<string, ListedKey> {
  const json = parse(keys);
  if (!isList(json)) throw refused(keys, "is not what `wrangler kv key list` prints.");
  return new Map(json.map((key) => [key.name, key]));
}

function refused({ name }: Given, why: string): ExitError {
  return new ExitError(EXIT.usage, `error: ${name} ${why}`);
}
