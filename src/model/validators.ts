/** Validators: each checks one input against its limits before anything is stored. Pure. */

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
/** Printable ASCII without spaces at either end, because HTTP strips those from a header. */
const PRINTABLE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/**
 * @returns `name`, if it is a valid bucket name: 1–256 bytes of printable ASCII without space, `/` and `"`,
 *   and not `.` or `..`, which URLs can't carry.
 * @throws {KvError} `bucket_name_invalid`
 */
export function bucketName(name: string): string {
  // RPC callers may pass a value of any type, here and below.
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
 * @returns `text`, if it is a valid key: 1–1,024 bytes of well-formed UTF-8 without NUL.
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
 * @returns `reason`, if it is a valid exit reason: 1–256 bytes of well-formed UTF-8.
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
 * @returns `bytes`, if they are small enough to be sent whole: at most {@link CHUNK_BYTES}.
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

/** The error of a value with more than {@link MAX_VALUE_BYTES}. */
export function valueTooLarge(): KvError {
  return new KvError("value_too_large", `A value has at most ${MAX_VALUE_BYTES} bytes.`);
}

/**
 * @returns `metadata` as JSON text, if that has at most {@link MAX_METADATA_BYTES}.
 * @throws {KvError} `metadata_too_large`, `body_invalid`
 */
export function metadataJson(metadata: unknown): string {
  const json = jsonOf(metadata, "Metadata must be JSON.");
  if (byteLength(json) <= MAX_METADATA_BYTES) return json;
  throw new KvError("metadata_too_large", `Metadata is at most ${MAX_METADATA_BYTES} bytes of JSON.`);
}

/**
 * @returns `value` as JSON text.
 * @throws {KvError} `body_invalid` with this detail: JSON can't express the value (a function, a bigint, a cycle)
 */
export function jsonOf(value: unknown, detail: string): string {
  if (value instanceof KeptJson) return value.text;
  try {
    const json = JSON.stringify(value) as string | undefined;
    if (json !== undefined) return json;
  } catch {
    // The error is thrown below.
  }
  throw new KvError("body_invalid", detail);
}

/**
 * @returns `text`, if it is a valid idempotency key: 1–256 characters of printable ASCII.
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
 * @returns `type`, if it is a valid content type: at most 256 bytes of printable ASCII.
 * @throws {KvError} `content_type_invalid`
 */
export function contentType(type: string): string {
  // A media type is ASCII, and the stored type is later sent as a header.
  if (PRINTABLE.test(type) && type.length <= MAX_CONTENT_TYPE_BYTES) return type;
  throw new KvError(
    "content_type_invalid",
    `A content type is at most ${MAX_CONTENT_TYPE_BYTES} bytes of printable ASCII, without blanks around it.`,
  );
}

/** Bytes of a text. For a text that can't exceed the limit it returns the length instead, which costs no counting. */
function textSize(text: string): number {
  return text.length * 3 <= CHUNK_BYTES ? text.length : byteLength(text);
}
