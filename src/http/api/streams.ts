/** Endpoints that stream: watches, exports and imports, sessions, and the text protocol. */

import * as answers from "../../schema/answers.ts";
import { EntryLineJson } from "../../schema/entry-line.ts";
import * as requests from "../../schema/requests.ts";
import { SessionRequestJson } from "../../schema/session.ts";
import { EVENTS, type Bytes, type Table } from "./endpoint.ts";

const NDJSON: Bytes = { bytes: ["application/x-ndjson"], line: EntryLineJson };

export const STREAMS = {
  "/v1/buckets/{bucket}/watch": {
    GET: {
      id: "watchBucket",
      tag: "Watch",
      summary: "Streams a bucket's changes, as Server-Sent Events or over WebSocket",
      description:
        "Events: `put`, `delete`, `expired` for changes. With `snapshot=true`, first an `entry` for each existing entry, then `end_of_snapshot`. `DOWN` or `RESTARTED` when the bucket ends or restarts. `dropped` when the client reads too slowly. To resume after an event, send its `id`. Over WebSocket there are also `begin` and `position`, which only report the current position; there the client sends an empty message, as an ack, each time that it has read everything, or an ack of n characters, `{ack: n}` as JSON; a client that sends no acks is dropped.",
      query: requests.WatchQuery,
      headers: ["Last-Event-ID"],
      answers: {
        101: { description: "A WebSocket. Each message is a JSON array of events." },
        200: { description: "Events.", content: EVENTS },
      },
      errors: [
        "bucket_not_found",
        "query_invalid",
        "cursor_invalid",
        "key_invalid",
        "key_too_long",
        "revision_compacted",
        "too_many_connections",
      ],
    },
  },
  "/v1/buckets/{bucket}/export": {
    GET: {
      id: "exportBucket",
      tag: "Import and export",
      summary: "Exports all entries as NDJSON, one on each line",
      query: requests.ExportQuery,
      answers: {
        200: { description: "The entries.", content: NDJSON },
      },
      errors: ["bucket_not_found", "query_invalid"],
    },
  },
  "/v1/buckets/{bucket}/import": {
    POST: {
      id: "importBucket",
      tag: "Import and export",
      summary: "Imports entries of an export; importing them again changes nothing",
      query: requests.ImportQuery,
      body: NDJSON,
      answers: { 200: { description: "A report of the import.", content: { json: answers.ImportAnswer } } },
      errors: ["bucket_not_found", "bucket_changed", "query_invalid", "import_stopped", "upload_lost"],
    },
  },
  "/v1/buckets/{bucket}/session": {
    GET: {
      id: "openSession",
      tag: "Keys",
      summary: "Runs batches, transactions and lists over WebSocket, many in one message",
      description:
        'A message is a JSON array of requests (SessionRequest). The reply is an array with one element for each request, in the same order: `{id, ok}` with the result that HTTP would return, or `{id, error}`. A failed request does not affect the others. A request without a readable id gets `id: null`. `{"ack": n}` is an ack: the client has read n more characters. An ack has no reply. A session with more than 32 MiB unacknowledged is closed with code 1013.',
      message: SessionRequestJson,
      answers: { 101: { description: "A WebSocket." } },
      errors: ["bucket_not_found", "upgrade_required", "too_many_connections"],
    },
  },
  "/v1/buckets/{bucket}/connect": {
    GET: {
      id: "connectToBucket",
      tag: "Text protocol",
      summary: "The text protocol over WebSocket, connected directly to one bucket",
      answers: { 101: { description: "A WebSocket." } },
      errors: ["bucket_not_found", "upgrade_required", "too_many_connections"],
    },
  },
  "/v1/connect": {
    GET: {
      id: "connectToAny",
      tag: "Text protocol",
      summary: "The text protocol over WebSocket, for all buckets",
      answers: { 101: { description: "A WebSocket." } },
      errors: ["upgrade_required", "too_many_connections"],
    },
  },
  "/v1/commands": {
    POST: {
      id: "runCommands",
      tag: "Text protocol",
      summary: "Runs commands of the text protocol, one on each line",
      body: { text: "text/plain" },
      answers: { 200: { description: "The replies, in order.", content: { text: "text/plain" } } },
      errors: ["body_too_large", "upload_lost"],
    },
  },
} as const satisfies Table;
