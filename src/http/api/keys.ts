/** Keys: values, one at a time, listed, or many in one round trip. */

import * as answers from "../../schema/answers.ts";
import { BatchJson, IncrementJson, TransactionJson } from "../../schema/operations.ts";
import * as requests from "../../schema/requests.ts";
import { CAST, type Content, type HeaderName, type Table } from "./endpoint.ts";

const VALUE: readonly HeaderName[] = [
  "ETag",
  "KV-Revision",
  "KV-Expires",
  "KV-Metadata",
  "Accept-Ranges",
  "Cache-Control",
];
/** What every call about one key can meet. */
const KEY = ["bucket_not_found", "key_invalid", "key_too_long", "query_invalid", "header_invalid"] as const;
/** What every body of operations can meet. */
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
const BYTES: Content = { type: "*/*" };

export const KEYS = {
  "/v1/buckets/{bucket}/keys": {
    GET: {
      id: "listKeys",
      tag: "Keys",
      summary: "Lists keys in the order of their bytes",
      description:
        "By prefix, by range, forwards or backwards. A key that stays is neither left out nor repeated, whatever is written between two pages. A page ends at 1,000 keys or 4 MiB.",
      query: requests.ListQuery,
      answers: { 200: { description: "A page.", content: { json: answers.KeysAnswer } } },
      errors: ["bucket_not_found", "query_invalid", "cursor_invalid", "bucket_changed"],
    },
    DELETE: {
      id: "deleteKeys",
      tag: "Keys",
      summary: "Deletes all keys of a prefix or range",
      description: "In transactions of up to 1,000 keys.",
      query: requests.RangeQuery,
      headers: ["Prefer"],
      answers: {
        200: { description: "How many there were.", content: { json: answers.RemovedAnswer } },
        202: CAST,
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
      body: { ...BYTES, optional: true },
      answers: {
        201: { description: "The key is new.", headers: ["ETag", "KV-Revision"] },
        202: CAST,
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
      summary: "The value's bytes, or a range of them",
      query: requests.KeyQuery,
      headers: ["If-Match", "If-None-Match", "Range", "If-Range"],
      answers: {
        200: { description: "The value.", content: BYTES, headers: VALUE },
        206: { description: "A range of it.", content: BYTES, headers: [...VALUE, "Content-Range"] },
        304: { description: "It is what you have.", headers: ["ETag", "Cache-Control"] },
      },
      errors: [...KEY, "key_not_found", "precondition_failed", "range_not_satisfiable"],
    },
    HEAD: {
      id: "headKey",
      tag: "Keys",
      summary: "What a GET would say, without the value",
      query: requests.KeyQuery,
      headers: ["If-Match", "If-None-Match"],
      answers: {
        200: { description: "It is there.", headers: VALUE },
        304: { description: "It is what you have.", headers: ["ETag", "Cache-Control"] },
      },
      errors: [...KEY, "key_not_found", "precondition_failed"],
    },
    DELETE: {
      id: "deleteKey",
      tag: "Keys",
      summary: "Deletes a key, also one that is not there",
      query: requests.KeyQuery,
      headers: ["If-Match", "If-None-Match", "Prefer"],
      answers: { 202: CAST, 204: { description: "It is not there." } },
      errors: [...KEY, "precondition_failed"],
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
          description: "The sum.",
          content: { json: answers.IncrementAnswer },
          headers: ["Idempotency-Replayed"],
        },
        202: CAST,
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
      summary: "Many operations in one round trip, each by itself",
      description: "At most 1,000. One that is turned down has an `error` and leaves the others alone.",
      headers: ["Prefer"],
      body: { json: BatchJson },
      answers: {
        200: { description: "A result for each.", content: { json: answers.BatchAnswer } },
        202: CAST,
      },
      errors: [...OPERATIONS],
    },
  },
  "/v1/buckets/{bucket}/transaction": {
    POST: {
      id: "runTransaction",
      tag: "Keys",
      summary: "Compares, then does one list of operations, all or nothing",
      headers: ["Idempotency-Key", "Prefer"],
      body: { json: TransactionJson },
      answers: {
        200: {
          description: "Which list was done, and its results.",
          content: { json: answers.TransactionAnswer },
          headers: ["Idempotency-Replayed"],
        },
        202: CAST,
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
