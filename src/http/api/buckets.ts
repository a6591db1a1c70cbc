/** Endpoints for buckets: create, look up, list, stop, exit, monitor. */

import * as answers from "../../schema/answers.ts";
import * as requests from "../../schema/requests.ts";
import { ACCEPTED, EVENTS, type Table } from "./endpoint.ts";

export const BUCKETS = {
  "/v1/buckets": {
    GET: {
      id: "listBuckets",
      tag: "Buckets",
      summary: "Lists buckets, ordered by name, without waking any",
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
      description:
        "Options apply to a new bucket. If the bucket exists with a different value of a given option, the request is refused: `bucket_exists_differently`.",
      headers: ["If-None-Match", "Prefer"],
      body: { json: requests.BucketOptionsJson, optional: true },
      answers: {
        200: { description: "The bucket already existed.", content: { json: answers.BucketAnswer } },
        201: {
          description: "The bucket was created.",
          content: { json: answers.BucketAnswer },
          headers: ["Location"],
        },
        202: ACCEPTED,
      },
      errors: [
        "body_invalid",
        "body_too_large",
        "metadata_too_large",
        "precondition_failed",
        "bucket_exists_differently",
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
      summary: "Stops a bucket: deletes its data and frees its name",
      headers: ["Prefer"],
      answers: { 202: ACCEPTED, 204: { description: "The bucket has ended." } },
      errors: ["bucket_not_found"],
    },
  },
  "/v1/buckets/{bucket}/exit": {
    POST: {
      id: "exitBucket",
      tag: "Buckets",
      summary: "Sends an exit signal to a bucket",
      headers: ["Prefer"],
      body: { json: requests.ExitJson },
      answers: { 202: { description: "The bucket received the signal.", headers: ["Preference-Applied"] } },
      errors: ["bucket_not_found", "body_invalid", "body_too_large", "reason_invalid", "upload_lost"],
    },
  },
  "/v1/buckets/{bucket}/monitor": {
    GET: {
      id: "monitorBucket",
      tag: "Buckets",
      summary: "Streams a bucket's restarts and its end, as Server-Sent Events",
      headers: ["Last-Event-ID"],
      answers: {
        200: { description: "Events: `RESTARTED`, `DOWN`.", content: EVENTS },
        204: { description: "The bucket has ended, and no more events will follow. Do not reconnect." },
      },
      errors: ["cursor_invalid", "events_expired", "too_many_connections"],
    },
  },
} as const satisfies Table;
