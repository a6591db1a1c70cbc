/** The types of the API table: an endpoint as data. */

import type * as z from "zod/mini";
import type { ErrorCode } from "../../model/errors.ts";

export type Method = "GET" | "HEAD" | "PUT" | "POST" | "DELETE";

/** A body: JSON with a schema, bytes, text, or none where the other answers of an endpoint have one. */
export type Content = { readonly json: z.core.$ZodType } | Bytes | { readonly text: string } | "none";

/** Bytes that are sent and answered as they are. */
export interface Bytes {
  /** Their media types; for a request the first is the one that generated clients send. */
  readonly bytes: readonly string[];
  /** For NDJSON: the schema of each line. */
  readonly line?: z.core.$ZodType;
}

export interface DescribedAnswer {
  readonly description: string;
  readonly content?: Content;
  readonly headers?: readonly HeaderName[];
}

export interface Endpoint {
  /** Unique; the operationId. */
  readonly id: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  readonly query?: z.core.$ZodObject;
  readonly headers?: readonly HeaderName[];
  /** For a WebSocket: the schema of the elements of its messages, which are arrays. */
  readonly message?: z.core.$ZodType;
  readonly body?: Exclude<Content, "none"> & { readonly optional?: true };
  readonly answers: Readonly<Record<number, DescribedAnswer>>;
  /** The codes of this endpoint, besides those of every endpoint. */
  readonly errors?: readonly ErrorCode[];
}

/** Whether a method may change something. */
export function isChange(method: string): boolean {
  return method !== "GET" && method !== "HEAD";
}

/** The groups of endpoints. */
export const TAGS = {
  Buckets: "Create, look up, list and stop buckets; monitor their end.",
  Keys: "Read, write, list and delete keys: one at a time, or many in one round trip.",
  Watch: "A stream of a bucket's changes.",
  "Import and export": "All entries of a bucket as NDJSON.",
  "Text protocol": "Commands as lines: CREATE, GET, PUT and others.",
  Service: "Events and figures of all buckets, and the service itself.",
} as const;
export type Tag = keyof typeof TAGS;

/** Headers of requests and responses. */
export const HEADERS = {
  "If-Match":
    "Entity tags, or `*`. The request succeeds only if the entry has one of these tags; `*`: only if the key exists. For compare-and-set, send the `ETag` that you read.",
  "If-None-Match":
    "Entity tags, or `*`. The request succeeds only if the entry has none of these tags; `*`: only if the key or bucket does not exist.",
  "If-Range": "An entity tag: `Range` is ignored if the value no longer has this tag.",
  Range: "One range of bytes: `bytes=0-499`, `bytes=500-`, `bytes=-500`.",
  Prefer:
    "`respond-async`: do not wait for the result. The response is 202 at once; whether the request succeeds is not reported.",
  "Idempotency-Key":
    "A key that you choose. For 24 hours, the same request with the same key is run once, and gets the same response.",
  "Last-Event-ID": "Resumes a stream: the `id` of the last event that you received.",
  ETag: 'The entry\'s entity tag: `"<incarnation>-<revision>"`.',
  "KV-Revision": "The revision of the bucket at which the entry was written.",
  "KV-Expires": "When the entry expires (RFC 3339).",
  "KV-Metadata": "The entry's metadata, as JSON in ASCII.",
  "Accept-Ranges": "`bytes`.",
  "Cache-Control":
    "`no-cache, no-transform`: a cache must revalidate the value with its `ETag` before each use, and must not change it.",
  "Content-Range": "The range of the bytes in the body, and the size of the value.",
  "WWW-Authenticate": "`Bearer`: the request needs a token.",
  "Retry-After": "Seconds to wait before the next attempt.",
  Upgrade: "`websocket`.",
  "Preference-Applied": "`respond-async`.",
  "Idempotency-Replayed": "`true`: the request was run before, and this is its stored response.",
  Location: "The bucket's path.",
} as const;
export type HeaderName = keyof typeof HEADERS;

/** The endpoints of an API, by path and method. */
export type Table = Readonly<Record<string, Readonly<Partial<Record<Method, Endpoint>>>>>;

/** The response to a request with `Prefer: respond-async`. */
export const ACCEPTED: DescribedAnswer = {
  description: "With `Prefer: respond-async`: the request was accepted, and its result is not reported.",
  content: "none",
  headers: ["Preference-Applied"],
};
export const EVENTS: Content = { text: "text/event-stream" };
