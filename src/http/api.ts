/** The HTTP API as data: what is routed, and what /openapi.json says of it. The schemas are those that requests are checked with. */

import type * as z from "zod/mini";
import type { ErrorCode } from "../errors.ts";
import * as answers from "../wire/answers.ts";
import { EntryLineJson } from "../wire/entry-line.ts";
import { BatchJson, IncrementJson, TransactionJson } from "../wire/operations.ts";
import * as requests from "../wire/requests.ts";
import { SessionRequestJson } from "../wire/session.ts";

export type Method = "GET" | "HEAD" | "PUT" | "POST" | "DELETE";

/** A body: JSON of a schema, or something of a media type. */
export type Content =
  { readonly json: z.core.$ZodType } | { readonly type: string; readonly line?: z.core.$ZodType };

export interface Answer {
  readonly description: string;
  readonly content?: Content;
  readonly headers?: readonly HeaderName[];
}

export interface Endpoint {
  /** Unique. */
  readonly id: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  readonly query?: z.core.$ZodObject;
  readonly headers?: readonly HeaderName[];
  /** What a WebSocket's messages are arrays of. */
  readonly message?: z.core.$ZodType;
  readonly body?: Content & { readonly optional?: true };
  readonly answers: Readonly<Record<number, Answer>>;
  /** Beside those that every call can meet. */
  readonly errors?: readonly ErrorCode[];
}

/** Whether it changes something. */
export function isChange(method: string): boolean {
  return method !== "GET" && method !== "HEAD";
}

/** Whether it can be asked for without its body: what is read, not what goes on for as long as it is listened to. */
export function hasHead(endpoint: Endpoint): boolean {
  const content = endpoint.answers[200]?.content;
  return content !== undefined && "json" in content;
}

/** What endpoints are about. */
export const TAGS = {
  Buckets: "Names, what they stand for, and their ends.",
  Keys: "Values: one at a time, listed, or many in one round trip.",
  Watch: "Changes as they happen.",
  "Import and export": "All that a bucket holds, as lines.",
  "Text protocol": "The guide's commands.",
  Service: "All buckets, and the service itself.",
} as const;
export type Tag = keyof typeof TAGS;

/** Headers of requests and responses. */
export const HEADERS = {
  "If-Match":
    "Entity tags, or `*`: only if the key has one of them. Compare-and-set is to send back an `ETag`.",
  "If-None-Match": "Entity tags, or `*`: only if the key has none of them; `*`: only if it is not there.",
  "If-Range": "An entity tag: `Range` counts only if it is still that of the value.",
  Range: "One range of bytes: `bytes=0-499`, `bytes=500-`, `bytes=-500`.",
  Prefer: "`respond-async`: a cast. 202 at once, no result, no promise beyond “sent”.",
  "Idempotency-Key": "With the same key the same request is done once, and answered the same, for 24 hours.",
  "Last-Event-ID": "Where to go on: the `id` of the last event that was heard.",
  ETag: 'The entry\'s entity tag: `"<incarnation>-<revision>"`.',
  "KV-Revision": "The bucket's revision that wrote the entry.",
  "KV-Expires": "When the entry expires (RFC 3339).",
  "KV-Metadata": "The entry's metadata, as JSON in ASCII.",
  "Accept-Ranges": "`bytes`.",
  "Cache-Control":
    "`no-cache, no-transform`: whoever keeps it asks with its tag whether it is still the value.",
  "Content-Range": "Which bytes these are, and of how many.",
  "WWW-Authenticate": "`Bearer`: a token is asked for.",
  "Retry-After": "Seconds after which it may be tried again.",
  Upgrade: "`websocket`.",
  "Preference-Applied": "`respond-async`.",
  "Idempotency-Replayed": "`true`: this was done before, and is only told again.",
  Location: "The bucket's path.",
} as const;
export type HeaderName = keyof typeof HEADERS;

const CAST: Answer = { description: "A cast: sent.", headers: ["Preference-Applied"] };
const EVENTS: Content = { type: "text/event-stream" };
const VALUE: readonly HeaderName[] = [
  "ETag",
  "KV-Revision",
  "KV-Expires",
  "KV-Metadata",
  "Accept-Ranges",
  "Cache-Control",
];
const BYTES: Content = { type: "*/*" };

export const API = {
  "/v1/buckets": {
    GET: {
      id: "listBuckets",
      tag: "Buckets",
      summary: "Lists buckets in the order of their names, waking none",
      query: requests.BucketsQuery,
      answers: { 200: { description: "A page.", content: { json: answers.BucketsAnswer } } },
      errors: ["query_invalid", "cursor_invalid"],
    },
  },
  "/v1/buckets/{bucket}": {
    PUT: {
      id: "createBucket",
      tag: "Buckets",
      summary: "Ensures that there is a bucket",
      headers: ["If-None-Match", "Prefer"],
      body: { json: requests.BucketOptionsJson, optional: true },
      answers: {
        200: { description: "It was there.", content: { json: answers.BucketAnswer } },
        201: { description: "It is new.", content: { json: answers.BucketAnswer }, headers: ["Location"] },
        202: CAST,
      },
      errors: [
        "body_invalid",
        "body_too_large",
        "metadata_too_large",
        "precondition_failed",
        "jurisdiction_unavailable",
        "upload_lost",
      ],
    },
    GET: {
      id: "lookUpBucket",
      tag: "Buckets",
      summary: "Looks a bucket up",
      answers: { 200: { description: "The bucket.", content: { json: answers.BucketAnswer } } },
      errors: ["bucket_not_found"],
    },
    DELETE: {
      id: "stopBucket",
      tag: "Buckets",
      summary: "Stops a bucket: its data is gone, its name free",
      headers: ["Prefer"],
      answers: { 202: CAST, 204: { description: "It has ended." } },
      errors: ["bucket_not_found"],
    },
  },
  "/v1/buckets/{bucket}/exit": {
    POST: {
      id: "exitBucket",
      tag: "Buckets",
      summary: "Sends an exit signal",
      headers: ["Prefer"],
      body: { json: requests.ExitJson },
      answers: { 202: { description: "It was heard.", headers: ["Preference-Applied"] } },
      errors: ["bucket_not_found", "body_invalid", "body_too_large", "reason_invalid", "upload_lost"],
    },
  },
  "/v1/buckets/{bucket}/monitor": {
    GET: {
      id: "monitorBucket",
      tag: "Buckets",
      summary: "A bucket's restarts and its end, as Server-Sent Events",
      headers: ["Last-Event-ID"],
      answers: {
        200: { description: "`RESTARTED`, `DOWN`.", content: EVENTS },
        204: { description: "There is nothing more to hear." },
      },
      errors: ["cursor_invalid", "events_expired"],
    },
  },
  "/v1/buckets/{bucket}/keys": {
    GET: {
      id: "listKeys",
      tag: "Keys",
      summary: "Lists keys in the order of their bytes",
      description:
        "By prefix, by range, forwards or backwards. A key that stays is neither left out nor repeated, whatever is written between two pages. A page ends at 1,000 keys or 4 MiB.",
      query: requests.ListQuery,
      answers: { 200: { description: "A page.", content: { json: answers.KeysAnswer } } },
      errors: ["bucket_not_found", "query_invalid", "cursor_invalid"],
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
        "bucket_not_found",
        "key_invalid",
        "key_too_long",
        "query_invalid",
        "header_invalid",
        "content_type_invalid",
        "content_encoding_unsupported",
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
      errors: [
        "bucket_not_found",
        "key_not_found",
        "key_invalid",
        "key_too_long",
        "query_invalid",
        "header_invalid",
        "precondition_failed",
        "range_not_satisfiable",
      ],
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
      errors: [
        "bucket_not_found",
        "key_not_found",
        "key_invalid",
        "key_too_long",
        "query_invalid",
        "header_invalid",
        "precondition_failed",
      ],
    },
    DELETE: {
      id: "deleteKey",
      tag: "Keys",
      summary: "Deletes a key, also one that is not there",
      query: requests.KeyQuery,
      headers: ["If-Match", "If-None-Match", "Prefer"],
      answers: { 202: CAST, 204: { description: "It is not there." } },
      errors: [
        "bucket_not_found",
        "key_invalid",
        "key_too_long",
        "query_invalid",
        "header_invalid",
        "precondition_failed",
      ],
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
        "bucket_not_found",
        "key_invalid",
        "key_too_long",
        "query_invalid",
        "header_invalid",
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
      errors: [
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
      ],
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
        "bucket_not_found",
        "body_invalid",
        "body_too_large",
        "header_invalid",
        "key_invalid",
        "key_too_long",
        "value_too_large",
        "metadata_too_large",
        "content_type_invalid",
        "expires_invalid",
        "precondition_failed",
        "not_an_integer",
        "increment_overflow",
        "not_comparable",
        "result_too_large",
        "idempotency_key_reused",
        "upload_lost",
      ],
    },
  },
  "/v1/buckets/{bucket}/watch": {
    GET: {
      id: "watchBucket",
      tag: "Watch",
      summary: "A bucket's changes as they happen, as Server-Sent Events or over WebSocket",
      description:
        "Events: `put`, `delete`, `expired`; with `snapshot=true` first `entry` for all that is there, and `end_of_snapshot`; `DOWN` or `RESTARTED` when the bucket ends; `dropped` for one who reads too slowly. An event's `id` resumes behind it. Over WebSocket also `begin` and `position`, which only say where one is; there a client sends an empty message each time that it has read what it was sent, and one that does not is dropped in time.",
      query: requests.WatchQuery,
      headers: ["Last-Event-ID"],
      answers: {
        101: { description: "A WebSocket: each message is a JSON array of events." },
        200: { description: "Events.", content: EVENTS },
      },
      errors: [
        "bucket_not_found",
        "query_invalid",
        "cursor_invalid",
        "key_invalid",
        "key_too_long",
        "revision_compacted",
      ],
    },
  },
  "/v1/buckets/{bucket}/export": {
    GET: {
      id: "exportBucket",
      tag: "Import and export",
      summary: "All entries as NDJSON, one a line",
      query: requests.ExportQuery,
      answers: {
        200: { description: "Lines.", content: { type: "application/x-ndjson", line: EntryLineJson } },
      },
      errors: ["bucket_not_found", "query_invalid"],
    },
  },
  "/v1/buckets/{bucket}/import": {
    POST: {
      id: "importBucket",
      tag: "Import and export",
      summary: "Brings entries of an export back; to send them again changes nothing",
      query: requests.ImportQuery,
      body: { type: "application/x-ndjson", line: EntryLineJson },
      answers: { 200: { description: "What was done.", content: { json: answers.ImportAnswer } } },
      errors: ["bucket_not_found", "query_invalid", "import_stopped", "upload_lost"],
    },
  },
  "/v1/buckets/{bucket}/session": {
    GET: {
      id: "openSession",
      tag: "Keys",
      summary: "Batches, transactions and lists over WebSocket, many in one message",
      description:
        "A message is a JSON array of requests (SessionRequest), and is answered by an array with an answer for each: `{id, ok}` with what the call over HTTP would answer, or `{id, error}`.",
      message: SessionRequestJson,
      answers: { 101: { description: "A WebSocket." } },
      errors: ["bucket_not_found", "upgrade_required"],
    },
  },
  "/v1/buckets/{bucket}/connect": {
    GET: {
      id: "connectToBucket",
      tag: "Text protocol",
      summary: "The text protocol over WebSocket, straight to the bucket",
      answers: { 101: { description: "A WebSocket." } },
      errors: ["bucket_not_found", "upgrade_required"],
    },
  },
  "/v1/connect": {
    GET: {
      id: "connectToAny",
      tag: "Text protocol",
      summary: "The text protocol over WebSocket",
      answers: { 101: { description: "A WebSocket." } },
      errors: ["upgrade_required"],
    },
  },
  "/v1/commands": {
    POST: {
      id: "runCommands",
      tag: "Text protocol",
      summary: "The text protocol: lines in, replies out",
      body: { type: "text/plain" },
      answers: { 200: { description: "Replies.", content: { type: "text/plain" } } },
      errors: ["body_too_large", "upload_lost"],
    },
  },
  "/v1/events": {
    GET: {
      id: "allEvents",
      tag: "Service",
      summary: "What happens to all buckets, as Server-Sent Events",
      headers: ["Last-Event-ID"],
      answers: {
        200: { description: "`created`, `RESTARTED`, `unreachable`, `reachable`, `DOWN`.", content: EVENTS },
      },
      errors: ["cursor_invalid", "events_expired"],
    },
  },
  "/v1/registry": {
    GET: {
      id: "describeRegistry",
      tag: "Service",
      summary: "How many names there are in each state, and what the sweep has done",
      answers: { 200: { description: "Figures.", content: { json: answers.RegistryAnswer } } },
    },
  },
} as const satisfies Readonly<Record<string, Readonly<Partial<Record<Method, Endpoint>>>>>;

/** What needs no token, because it says nothing of the data. */
export const PUBLIC_API = {
  "/healthz": {
    GET: {
      id: "health",
      tag: "Service",
      summary: "Whether the service is up",
      answers: { 200: { description: "It is.", content: { json: answers.HealthAnswer } } },
    },
  },
  "/openapi.json": {
    GET: {
      id: "describeApi",
      tag: "Service",
      summary: "This description",
      answers: { 200: { description: "OpenAPI 3.1.", content: { type: "application/json" } } },
    },
  },
  "/docs": {
    GET: {
      id: "showDocs",
      tag: "Service",
      summary: "This description, to browse",
      answers: { 200: { description: "A page.", content: { type: "text/html" } } },
    },
  },
} as const satisfies Readonly<Record<string, Readonly<Partial<Record<Method, Endpoint>>>>>;

type IdOf<Paths> = { [Path in keyof Paths]: EndpointId<Paths[Path]> }[keyof Paths];
type EndpointId<Methods> = {
  [M in keyof Methods]: Methods[M] extends { readonly id: infer Id } ? Id : never;
}[keyof Methods];

/** The endpoints' names. */
export type OperationId = IdOf<typeof API>;
export type PublicOperationId = IdOf<typeof PUBLIC_API>;
