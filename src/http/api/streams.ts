/** What goes on for a while: changes, lines, connections. */

import * as answers from "../../schema/answers.ts";
import { EntryLineJson } from "../../schema/entry-line.ts";
import * as requests from "../../schema/requests.ts";
import { SessionRequestJson } from "../../schema/session.ts";
import { EVENTS, type Table } from "./endpoint.ts";

export const STREAMS = {
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
        "too_many_connections",
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
        'A message is a JSON array of requests (SessionRequest), and is answered by an array with an answer for each: `{id, ok}` with what the call over HTTP would answer, or `{id, error}`; one that is wrong leaves the others alone, and one without a readable id is answered with `id: null`. `{"ack": n}` says that n more characters have been read, and has no answer: who is sent more than 32 MiB and says nothing is closed with 1013.',
      message: SessionRequestJson,
      answers: { 101: { description: "A WebSocket." } },
      errors: ["bucket_not_found", "upgrade_required", "too_many_connections"],
    },
  },
  "/v1/buckets/{bucket}/connect": {
    GET: {
      id: "connectToBucket",
      tag: "Text protocol",
      summary: "The text protocol over WebSocket, straight to the bucket",
      answers: { 101: { description: "A WebSocket." } },
      errors: ["bucket_not_found", "upgrade_required", "too_many_connections"],
    },
  },
  "/v1/connect": {
    GET: {
      id: "connectToAny",
      tag: "Text protocol",
      summary: "The text protocol over WebSocket",
      answers: { 101: { description: "A WebSocket." } },
      errors: ["upgrade_required", "too_many_connections"],
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
} as const satisfies Table;
