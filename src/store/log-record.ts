/** How the change log writes the changes of one transaction: as JSON, and the bytes of binary values beside it. Pure. */

import type { Change, ChangeKind } from "../model/change.ts";
import type { Value } from "../model/value.ts";

/**
 * Bytes of the largest value that the log stores, so a watcher that resumes receives the values that it missed. Larger
 * values could make the log larger than the bucket.
 */
export const LOGGED_VALUE_BYTES = 65_536;

/** Approximate bytes of a record. As JSON it may be six times as long; the platform's limit for a row is two megabytes. */
const RECORD_BYTES = 196_608;
/** Approximate bytes of a change beside its key, value and metadata. */
const CHANGE_BYTES = 64;

/** The columns of a record. */
export interface LogRecord {
  /** JSON: an array of {@link Kept}. */
  readonly changes: string;
  /** The values that are bytes and not text, one after the other; null if there are none. */
  readonly blobs: ArrayBuffer | null;
}

/**
 * One change; its revision follows from its place. What is null at the end is left out: a removal has only a kind and a
 * key. The value: text as itself, bytes as their offset, null if the log does not store it.
 */
type Kept = [
  kind: ChangeKind,
  key: string,
  size?: number,
  value?: string | number | null,
  type?: string | null,
  metadata?: string | null,
  expires?: number | null,
];

/** Divides the changes of a transaction into records of bounded size. Most transactions are one record. */
export function* inRecords(changes: readonly Change[]): Generator<readonly Change[], void, void> {
  let first = 0;
  let bytes = 0;
  for (const [index, { key, size, metadata }] of changes.entries()) {
    const own = CHANGE_BYTES + key.length + (size <= LOGGED_VALUE_BYTES ? size : 0) + (metadata?.length ?? 0);
    if (index > first && bytes + own > RECORD_BYTES) {
      yield changes.slice(first, index);
      first = index;
      bytes = 0;
    }
    bytes += own;
  }
  yield first === 0 ? changes : changes.slice(first);
}

/** The record of changes with consecutive revisions. */
export function encodeChanges(changes: readonly Change[]): LogRecord {
  const parts: ArrayBuffer[] = [];
  let offset = 0;
  const place = (value: Value | null, size: number): string | number | null => {
    if (value === null || size > LOGGED_VALUE_BYTES) return null;
    if (typeof value === "string") return value;
    parts.push(value);
    offset += value.byteLength;
    return offset - value.byteLength;
  };
  const kept = changes.map(({ kind, key, size, value, type, metadata, expires }): Kept => {
    if (kind !== "put") return [kind, key];
    const at = place(value, size);
    if (expires !== null) return [kind, key, size, at, type, metadata, expires];
    if (metadata !== null) return [kind, key, size, at, type, metadata];
    return type === null ? [kind, key, size, at] : [kind, key, size, at, type];
  });
  return { changes: JSON.stringify(kept), blobs: joined(parts, offset) };
}

/** The changes of a record. @param last the revision of the last one @param at their time */
export function decodeChanges({ changes, blobs }: LogRecord, last: number, at: number): Change[] {
  const kept = JSON.parse(changes) as Kept[];
  return kept.map(
    ([kind, key, size = 0, place = null, type = null, metadata = null, expires = null], index) => {
      const revision = last - (kept.length - 1 - index);
      const value = typeof place === "number" ? (blobs as ArrayBuffer).slice(place, place + size) : place;
      return { revision, kind, at, key, value, size, type, metadata, expires };
    },
  );
}

function joined(parts: readonly ArrayBuffer[], size: number): ArrayBuffer | null {
  const [first] = parts;
  if (first === undefined) return null;
  if (parts.length === 1) return first;
  const all = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    all.set(new Uint8Array(part), offset);
    offset += part.byteLength;
  }
  return all.buffer;
}
