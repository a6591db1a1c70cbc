/** Limits of names, keys, values and requests: constants, which validators.ts checks. */

/** Bytes in the longest bucket name. */
export const MAX_BUCKET_NAME_BYTES = 256;
/** Bytes of UTF-8 in the longest key. */
export const MAX_KEY_BYTES = 1_024;
/** Bytes in the largest value; Workers KV has the same limit. */
export const MAX_VALUE_BYTES = 25 * 1_048_576;
/**
 * Bytes in the largest value that is sent whole: in the text protocol, a batch, a transaction, a list. A larger
 * value is stored and sent in chunks of this size.
 */
export const CHUNK_BYTES = 1_048_576;
/** Bytes of JSON in the largest metadata. */
export const MAX_METADATA_BYTES = 1_024;
/** Bytes in the longest content type. */
export const MAX_CONTENT_TYPE_BYTES = 256;
/** Bytes of UTF-8 in the longest exit reason. */
export const MAX_REASON_BYTES = 256;
/** Names or keys on one page of a listing. */
export const MAX_PAGE = 1_000;
/** Bytes of keys, values and metadata on one page; the last entry may exceed it. */
export const MAX_PAGE_BYTES = 4 * 1_048_576;
/** Operations in one batch or transaction branch; also comparisons in one transaction. */
export const MAX_OPERATIONS = 1_000;
/**
 * Characters of JSON on one page; the last entry may exceed it. The platform's limit for a message between objects is
 * 32 MiB, and a character may take two bytes there.
 */
export const MAX_PAGE_LENGTH = 8 * 1_048_576;
/** Characters of JSON for all values in the response of one batch or transaction. */
export const MAX_RESULT_LENGTH = 12 * 1_048_576;
/** Seconds in the longest time to live: ten years. */
export const MAX_TTL_SECONDS = 315_360_000;
/** Characters in the longest idempotency key. */
export const MAX_IDEMPOTENCY_KEY = 256;
