/** One entry as a line of NDJSON: what an export writes, and an import reads. */

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

/** What a line says, without revision and tag: they are the bucket's that it is read into. */
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
    // A line with text and without a type means this one.
    ...(type === TEXT_TYPE && value !== undefined ? {} : { type }),
    ...(expires === undefined ? {} : { expires }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(value === undefined ? {} : { value }),
    ...(base64 === undefined ? {} : { base64 }),
  };
}

/** @throws {KvError} that says what is wrong with the line */
export function entryOf(json: unknown): RestoredEntry & { readonly value: Value } {
  const { key, ...put } = check(EntryLineJson, json, "body_invalid");
  return { key: checkedKey(key), ...putOf(put) };
}
