/** What is asked of the calls about many keys: batches, transactions, watches, exports and imports. */

import { type Asks, ASYNC, EVERY_OPERATION, HEAD, json, LARGE, LONG, MEBIBYTE, POST } from "./ask.ts";

export const MANY_KEYS_ASKS: Asks = [
  [
    "runBatch",
    "/v1/buckets/described/batch",
    [
      ["", json(EVERY_OPERATION), 200],
      [
        "",
        json([
          { op: "increment", key: "word" },
          { op: "get", key: "large" },
          { op: "getAndDelete", key: "large" },
        ]),
        200,
      ],
      ["", json([{ op: "get", key: "full", ifMatch: "0-0" }]), 200],
      ["", json([]), 200],
      ["", json([], ASYNC), 202],
      ["", json([], { "Idempotency-Key": "b" }), 400],
      ["", json([], { "If-Match": "*" }), 400],
      ["", json([{ op: "get", key: "" }]), 400],
      ["", json([{ op: "put", key: "k", value: `${MEBIBYTE}x` }]), 413],
      ["", json([{ op: "put", key: "k", value: "", type: "é" }]), 400],
      ["", json([{ op: "put", key: "k", value: "", metadata: "x".repeat(1_024) }]), 400],
      ["", json([{ op: "put", key: "k", value: "", expires: "2000-01-01T00:00:00Z" }]), 200],
      ["", json({}), 400],
      ["", { ...POST, body: LARGE }, 413],
    ],
  ],
  [
    "runTransaction",
    "/v1/buckets/described/transaction",
    [
      ["", json({ then: EVERY_OPERATION }, { "Idempotency-Key": "t" }), 200],
      ["", json({ then: EVERY_OPERATION }, { "Idempotency-Key": "t" }), 200],
      ["", json({ then: [] }, { "Idempotency-Key": "t" }), 422],
      ["", json({ if: [{ key: "none", exists: true }], else: [{ op: "get", key: "json" }] }), 200],
      ["", json({}, ASYNC), 202],
      ["", json({}, { "If-Match": "*" }), 400],
      ["", json({ then: [{ op: "get", key: "full", ifMatch: "0-0" }] }), 412],
      ["", json({ then: [{ op: "increment", key: "word" }] }), 409],
      ["", json({ then: [{ op: "increment", key: "max" }] }), 409],
      ["", json({ then: [{ op: "put", key: "k", value: "", expires: "2000-01-01T00:00:00Z" }] }), 400],
      ["", json({ if: [{ key: "k" }] }), 400],
      ["", json({ then: [{ op: "put", key: "k", value: `${MEBIBYTE}x` }] }), 413],
      ["", json([]), 400],
    ],
  ],
  [
    "watchBucket",
    "/v1/buckets/described/watch",
    [
      ["", {}, 200],
      ["?snapshot=true&values=false&prefix=f", {}, 200],
      ["?since=999999", {}, 410],
      ["?since=!", {}, 400],
      ["?since=0&snapshot=true", {}, 400],
      ["?prefix=a&key=b", {}, 400],
      ["?key=", {}, 400],
      [`?key=${LONG}`, {}, 400],
      ["", HEAD, 200],
    ],
  ],
  [
    "exportBucket",
    "/v1/buckets/described/export",
    [
      ["", {}, 200],
      ["?prefix=f", {}, 200],
      ["?more=1", {}, 400],
      ["", HEAD, 200],
    ],
  ],
  [
    "importBucket",
    "/v1/buckets/described/import",
    [
      ["", { ...POST, body: '{"key":"i","value":"1"}\n' }, 200],
      ["?onError=continue", { ...POST, body: "{\n" }, 200],
      ["", { ...POST, body: "{\n" }, 422],
      ["?onError=never", { ...POST, body: "" }, 400],
    ],
  ],
];
