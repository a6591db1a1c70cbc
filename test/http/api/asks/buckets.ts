/** What is asked of the calls about buckets. */

import { ASYNC, LARGE, json, put, get, remove, HEAD, POST, type Asks } from "./ask.ts";

export const BUCKET_ASKS: Asks = [
  [
    "listBuckets",
    "/v1/buckets",
    [
      ["", {}, 200],
      ["?limit=1&prefix=described", {}, 200],
      ["", HEAD, 200],
      ["?limit=0", {}, 400],
      ["?cursor=!", {}, 400],
      ["?nothing=1", {}, 400],
      ["", POST, 405],
    ],
  ],
  [
    "createBucket",
    "/v1/buckets/",
    [
      ["described-new", put({}, '{"restart":"temporary"}'), 201],
      ["described-new", put({}, ""), 200],
      ["described-new", put({ "If-None-Match": "*" }, ""), 412],
      ["described-later", put(ASYNC, ""), 202],
      ["described-other", put({}, '{"restart":"no"}'), 400],
      ["described-other", put({}, "{"), 400],
      ["described-other", put({}, JSON.stringify({ metadata: "x".repeat(1_024) })), 400],
      ["described-other", put({}, '{"jurisdiction":"eu"}'), 400],
      ["described-other", put({}, LARGE), 413],
      ["a%20b", put({}, ""), 400],
      ["described-new", { method: "PATCH" }, 405],
    ],
  ],
  [
    "lookUpBucket",
    "/v1/buckets/",
    [
      ["described", {}, 200],
      ["described", HEAD, 200],
      ["described-none", {}, 404],
      ["described-none", HEAD, 404],
      ["%FF", {}, 400],
    ],
  ],
  [
    "stopBucket",
    "/v1/buckets/",
    [
      ["described-new", remove(), 204],
      ["described-new", remove(), 404],
      ["described-new", remove(ASYNC), 202],
    ],
  ],
  [
    "exitBucket",
    "/v1/buckets/described/exit",
    [
      ["", json({ reason: "normal" }), 202],
      ["", json({ reason: "normal" }, ASYNC), 202],
      ["", json({ reason: "" }), 400],
      ["", json({}), 400],
      ["", { ...POST, body: LARGE }, 413],
    ],
  ],
  [
    "monitorBucket",
    "/v1/buckets/described/monitor",
    [
      ["", get({ "Last-Event-ID": "7-" }), 204],
      ["", get({ "Last-Event-ID": "?" }), 400],
      ["", get(), 200],
      ["", HEAD, 200],
    ],
  ],
];
