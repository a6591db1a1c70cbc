/** Checks names, keys and values against their limits, before anything is stored. Pure. */

import { byteLength } from "../lib/utf8.ts";
import { KvError } from "./errors.ts";
import { KeptJson } from "./kept-json.ts";
import {
  CHUNK_BYTES,
  MAX_BUCKET_NAME_BYTES,
  MAX_CONTENT_TYPE_BYTES,
  MAX_IDEMPOTENCY_KEY,
  MAX_KEY_BYTES,
  MAX_METADATA_BYTES,
  MAX_REASON_BYTES,
  MAX_VALUE_BYTES,
} from "./limits.ts";

// Printable ASCII without space, `/` and `"`.
const BUCKET_NAME = /^[!#-.0-~]+$/;
/** As a header carries it: blanks around it would be left out. */
const PRINTABLE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/**
 * @returns `name`, if a bucket may have it: 1–256 bytes of printable ASCII without space, `/` and `"`,
 *   and not `.` or `..`, which URLs can't carry.
 * @throws {KvError} `bucket_name_invalid`
 */
export function bucketName(name: string): string {
  // Over RPC anything may come, here and below.
  if (
    typeof name === "string" &&
    BUCKET_NAME.test(name) &&
    name.length <= MAX_BUCKET_NAME_BYTES &&
    name !== "." &&
    name !== ".."
  ) {
    return name;
  }
  throw new KvError(
    "bucket_name_invalid",
    `A bucket name is 1–${MAX_BUCKET_NAME_BYTES} bytes of printable ASCII without space, "/" or a double quote, and not "." or "..".`,
  );
}

/**
 * @returns `key`, if it is one: 1–1,024 bytes of well-formed UTF-8 without NUL.
 * @throws {KvError} `key_invalid`, `key_too_long`
 */
export function key(text: string): string {
  if (typeof text !== "string" || text === "" || text.includes("\0") || !text.isWellFormed()) {
    throw new KvError("key_invalid", "A key is at least one character of well-formed UTF-8, without NUL.");
  }
  // A UTF-16 unit is at most three bytes of UTF-8, so most keys need no counting.
  if (text.length * 3 > MAX_KEY_BYTES && byteLength(text) > MAX_KEY_BYTES) {
    throw new KvError("key_too_long", `A key has at most ${MAX_KEY_BYTES} bytes of UTF-8.`);
  }
  return text;
}

/**
 * @returns `reason`, if an exit signal may carry it: 1–256 bytes of well-formed UTF-8.
 * @throws {KvError} `reason_invalid`
 */
export function exitReason(reason: string): string {
  if (
    typeof reason === "string" &&
    reason !== "" &&
    reason.isWellFormed() &&
    byteLength(reason) <= MAX_REASON_BYTES
  )
    return reason;
  throw new KvError("reason_invalid", `A reason is 1–${MAX_REASON_BYTES} bytes of well-formed UTF-8.`);
}

/**
 * @returns `value`, if it is small enough to travel whole.
 * @throws {KvError} `value_too_large`
 */
export function wholeValue<T extends string | ArrayBuffer>(bytes: T): T {
  const size = typeof bytes === "string" ? textSize(bytes) : bytes.byteLength;
  if (size <= CHUNK_BYTES) return bytes;
  throw new KvError(
    "value_too_large",
    `A value has at most ${CHUNK_BYTES} bytes here; PUT …/keys/{key} takes up to ${MAX_VALUE_BYTES}.`,
  );
}

/** The error for a value over the limit. */
export function valueTooLarge(): KvError {
  return new KvError("value_too_large", `A value has at most ${MAX_VALUE_BYTES} bytes.`);
}

/**
 * @returns `metadata` as JSON, if it is small enough.
 * @throws {KvError} `metadata_too_large`
 */
export function metadataJson(metadata: unknown): string {
  const json = jsonOf(metadata, "Metadata is JSON.");
  if (byteLength(json) <= MAX_METADATA_BYTES) return json;
  throw new KvError("metadata_too_large", `Metadata is at most ${MAX_METADATA_BYTES} bytes of JSON.`);
}

/**
 * @returns `value` as JSON.
 * @throws {KvError} `body_invalid`, with that detail: it is none at all (a function, a bigint, a circle)
 */
export function jsonOf(value: unknown, detail: string): string {
  if (value instanceof KeptJson) return value.text;
  try {
    const json = JSON.stringify(value) as string | undefined;
    if (json !== undefined) return json;
  } catch {
    // Said below.
  }
  throw new KvError("body_invalid", detail);
}

/**
 * @returns `text`, if it may be an idempotency key: 1–256 characters of printable ASCII.
 * @throws {KvError} `header_invalid`
 */
export function idempotencyKey(text: string): string {
  if (PRINTABLE.test(text) && text.length <= MAX_IDEMPOTENCY_KEY) return text;
  throw new KvError(
    "header_invalid",
    `Idempotency-Key is 1–${MAX_IDEMPOTENCY_KEY} characters of printable ASCII without blanks around them, a UUID for example.`,
  );
}

/**
 * @returns `type`, if it may be kept as a value's content type.
 * @throws {KvError} `content_type_invalid`
 */
export function contentType(type: string): string {
  // A media type is ASCII, and what is stored is later sent as a header.
  if (PRINTABLE.test(type) && type.length <= MAX_CONTENT_TYPE_BYTES) return type;
  throw new KvError(
    "content_type_invalid",
    `A content type is at most ${MAX_CONTENT_TYPE_BYTES} bytes of printable ASCII, without blanks around it.`,
  );
}

/** Bytes of a text, or a number that is small enough where counting is not needed. */
function textSize(text: string): number {
  return text.length * 3 <= CHUNK_BYTES ? text.length : byteLength(text);
}
