/** One entry as a line of NDJSON, which an export writes and an import reads. */

import * as z from "zod/mini";
import { ONE_LIFETIME, PutJson, putOf, VALUE_ONCE } from "./operations.ts";
import { check } from "./check.ts";
import type { EntryJson } from "../contract/entries.ts";
import type { RestoredEntry } from "../model/restored.ts";
import { key as checkedKey } from "../model/validators.ts";
import { TEXT_TYPE, type Value } from "../model/value.ts";

const { op: _, ifMatch: __, ifNoneMatch: ___, ...members } = PutJson.shape;

export const EntryLineJson = z.strictObject(members).check(
  z.meta({
    id: "EntryLine",
    ...VALUE_ONCE,
    ...ONE_LIFETIME,
    description:
      "One entry. In a line longer than 8 MiB `base64` comes last, so that it can be read as it arrives.",
  }),
);

/** The members of an entry's line. Revision and etag are left out, because the importing bucket assigns its own. */
export function lineMembers({
  key,
  type,
  expires,
  metadata,
  value,
  base64,
}: EntryJson): Record<string, unknown> {
  return {
    key,
    // Plain text is the default type of a line with `value`, so it is left out.
    ...(type === TEXT_TYPE && value !== undefined ? {} : { type }),
    ...(expires === undefined ? {} : { expires }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(value === undefined ? {} : { value }),
    ...(base64 === undefined ? {} : { base64 }),
  };
}

/**
 * The entry of a parsed line.
 * @throws {KvError} `body_invalid`, `key_invalid`, `key_too_long` and those of {@link putOf}
 */
export function entryOf(json: unknown): RestoredEntry & { readonly value: Value } {
  const { key, ...put } = check(EntryLineJson, json, "body_invalid");
  return { key: checkedKey(key), ...putOf(put) };
}
