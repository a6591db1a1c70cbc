/** Buckets: names, what they stand for, and their ends. */

import * as answers from "../../schema/answers.ts";
import * as requests from "../../schema/requests.ts";
import { CAST, EVENTS, type Table } from "./endpoint.ts";

export const BUCKETS = {
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
      description: "An option that is given, and that a bucket which is there has otherwise, is refused.",
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
      errors: ["cursor_invalid", "events_expired", "too_many_connections"],
    },
  },
} as const satisfies Table;
