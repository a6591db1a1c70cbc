/** What an endpoint is, as data. */

import type * as z from "zod/mini";
import type { ErrorCode } from "../../model/errors.ts";

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

/** Paths, their methods, and what these are. */
export type Table = Readonly<Record<string, Readonly<Partial<Record<Method, Endpoint>>>>>;

/** The answer to what nobody waits for. */
export const CAST: Answer = { description: "A cast: sent.", headers: ["Preference-Applied"] };
export const EVENTS: Content = { type: "text/event-stream" };
