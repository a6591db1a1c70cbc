/** Endpoints for keys: one at a time, a range, or many in one round trip. */

import * as answers from "../../schema/answers.ts";
import { BatchJson, IncrementJson, TransactionJson } from "../../schema/operations.ts";
import * as requests from "../../schema/requests.ts";
import { ACCEPTED, type Content, type HeaderName, type Table } from "./endpoint.ts";

const VALUE: readonly HeaderName[] = [
  "ETag",
  "KV-Revision",
  "KV-Expires",
  "KV-Metadata",
  "Accept-Ranges",
  "Cache-Control",
];
/** Errors of every endpoint for one key. */
const KEY = ["bucket_not_found", "key_invalid", "key_too_long", "query_invalid", "header_invalid"] as const;
/** Errors of every body of operations. */
const OPERATIONS = [
  "bucket_not_found",
  "body_invalid",
  "body_too_large",
  "header_invalid",
  "key_invalid",
  "key_too_long",
  "value_too_large",
  "metadata_too_large",
  "content_type_invalid",
  "upload_lost",
] as const;
const BYTES: Content = { bytes: ["*/*"] };

export const KEYS = {
  "/v1/buckets/{bucket}/keys": {
    GET: {
      id: "listKeys",
      tag: "Keys",
      summary: "Lists keys, ordered by their bytes",
      description:
        "By prefix or range, ascending or descending. A key that exists throughout is listed exactly once, whatever is written between two pages. A page has at most 1,000 keys, and ends at 4 MiB.",
      query: requests.ListKeysQuery,
      answers: { 200: { description: "A page.", content: { json: answers.KeysAnswer } } },
      errors: ["bucket_not_found", "query_invalid", "cursor_invalid", "bucket_changed"],
    },
    DELETE: {
      id: "deleteKeys",
      tag: "Keys",
      summary: "Deletes all keys of a prefix or range",
      description:
        "The deletion runs in several transactions of at most 1,000 keys each, so that it does not block the bucket.",
      query: requests.RangeQuery,
      headers: ["Prefer"],
      answers: {
        200: { description: "The number of deleted keys.", content: { json: answers.RemovedAnswer } },
        202: ACCEPTED,
      },
      errors: ["bucket_not_found", "query_invalid", "header_invalid"],
    },
  },
  "/v1/buckets/{bucket}/keys/{key}": {
    PUT: {
      id: "putKey",
      tag: "Keys",
      summary: "Stores a value: any bytes, up to 25 MiB",
      query: requests.PutQuery,
      headers: ["If-Match", "If-None-Match", "Prefer"],
      // A client can't send the media type `*/*`.
      body: { bytes: ["application/octet-stream", "*/*"], optional: true },
      answers: {
        201: { description: "The key was created.", headers: ["ETag", "KV-Revision"] },
        202: ACCEPTED,
        204: { description: "The value was replaced.", headers: ["ETag", "KV-Revision"] },
      },
      errors: [
        ...KEY,
        "content_type_invalid",
        "metadata_too_large",
        "expires_invalid",
        "precondition_failed",
        "value_too_large",
        "upload_lost",
      ],
    },
    GET: {
      id: "getKey",
      tag: "Keys",
      summary: "Reads a value, or a range of its bytes",
      query: requests.KeyQuery,
      headers: ["If-Match", "If-None-Match", "Range", "If-Range"],
      answers: {
        200: { description: "The value.", content: BYTES, headers: VALUE },
        206: { description: "A range of the value.", content: BYTES, headers: [...VALUE, "Content-Range"] },
        304: { description: "The value has not changed.", headers: ["ETag", "Cache-Control"] },
      },
      errors: [...KEY, "key_not_found", "precondition_failed", "range_not_satisfiable"],
    },
    HEAD: {
      id: "headKey",
      tag: "Keys",
      summary: "Reads a value's headers, without the value",
      query: requests.KeyQuery,
      headers: ["If-Match", "If-None-Match"],
      answers: {
        200: { description: "The key exists.", headers: VALUE },
        304: { description: "The value has not changed.", headers: ["ETag", "Cache-Control"] },
      },
      errors: [...KEY, "key_not_found", "precondition_failed"],
    },
    DELETE: {
      id: "deleteKey",
      tag: "Keys",
      summary: "Deletes a key; a missing key is no error",
      query: requests.KeyQuery,
      headers: ["If-Match", "If-None-Match", "Prefer"],
      answers: { 202: ACCEPTED, 204: { description: "The key does not exist any more." } },
      errors: [...KEY, "precondition_failed"],
    },
  },
  "/v1/buckets/{bucket}/keys/{key}/get-and-delete": {
    POST: {
      id: "getAndDeleteKey",
      tag: "Keys",
      summary: "Reads a value and deletes its key, atomically",
      description:
        "Of many callers at once, exactly one gets the value. If the connection breaks before the whole value has arrived, it may be deleted already.",
      query: requests.KeyQuery,
      headers: ["If-Match", "If-None-Match"],
      answers: {
        200: {
          description: "The value, which is deleted.",
          content: BYTES,
          headers: VALUE.filter((name) => name !== "Accept-Ranges"),
        },
      },
      errors: [...KEY, "key_not_found", "precondition_failed"],
    },
  },
  "/v1/buckets/{bucket}/keys/{key}/increment": {
    POST: {
      id: "incrementKey",
      tag: "Keys",
      summary: "Adds to a counter, atomically",
      query: requests.KeyQuery,
      headers: ["If-Match", "If-None-Match", "Idempotency-Key", "Prefer"],
      body: { json: IncrementJson, optional: true },
      answers: {
        200: {
          description: "The new value of the counter.",
          content: { json: answers.IncrementAnswer },
          headers: ["Idempotency-Replayed"],
        },
        202: ACCEPTED,
      },
      errors: [
        ...KEY,
        "body_invalid",
        "body_too_large",
        "expires_invalid",
        "precondition_failed",
        "not_an_integer",
        "increment_overflow",
        "idempotency_key_reused",
        "upload_lost",
      ],
    },
  },
  "/v1/buckets/{bucket}/batch": {
    POST: {
      id: "runBatch",
      tag: "Keys",
      summary: "Runs many independent operations in one round trip",
      description: "At most 1,000 operations. A refused one has an `error` and does not affect the others.",
      headers: ["Prefer"],
      body: { json: BatchJson },
      answers: {
        200: { description: "One result for each operation.", content: { json: answers.BatchAnswer } },
        202: ACCEPTED,
      },
      errors: [...OPERATIONS],
    },
  },
  "/v1/buckets/{bucket}/transaction": {
    POST: {
      id: "runTransaction",
      tag: "Keys",
      summary: "Compares, then runs one list of operations, all or nothing",
      headers: ["Idempotency-Key", "Prefer"],
      body: { json: TransactionJson },
      answers: {
        200: {
          description: "Which list was run, and its results.",
          content: { json: answers.TransactionAnswer },
          headers: ["Idempotency-Replayed"],
        },
        202: ACCEPTED,
      },
      errors: [
        ...OPERATIONS,
        "expires_invalid",
        "precondition_failed",
        "not_an_integer",
        "increment_overflow",
        "not_comparable",
        "result_too_large",
        "idempotency_key_reused",
      ],
    },
  },
} as const satisfies Table;
