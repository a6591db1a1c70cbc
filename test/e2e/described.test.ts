/** Every endpoint, in the ways in which it answers: each answer is one that the description has. */

import { beforeAll, describe, expect, it } from "vitest";
import { server } from "./support/shared-server.ts";

beforeAll(async () => {
  await fetch(`${server.http}/v1/buckets/described`, { method: "PUT", body: '{"metadata":{"x":[1]}}' });
  const put = (key: string, body: BodyInit, query = "", type = "text/plain"): Promise<Response> =>
    fetch(`${server.http}/v1/buckets/described/keys/${key}${query}`, {
      method: "PUT",
      body,
      headers: { "Content-Type": type },
    });
  await put("full", "é", '?ttl=60&metadata={"a":1}');
  await put("bytes", new Uint8Array([255]), "", "image/png");
  await put("json", '{"a":1}', "", "application/json");
  await put("large", new Uint8Array(1_048_577));
  await put("word", "abc");
  await put("count", "41");
  await put("max", String(2n ** 63n - 1n));
});

const ASYNC = { Prefer: "respond-async" };
const TOMORROW = new Date(Date.now() + 86_400_000).toISOString();
const LONG = "k".repeat(1_025);
const LARGE = new Uint8Array(25 * 1_048_576 + 1);
const MEBIBYTE = "x".repeat(1_048_576);
const json = (value: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  body: JSON.stringify(value),
  headers,
});
const put = (headers: Record<string, string> = {}, body: BodyInit = "1"): RequestInit => ({
  method: "PUT",
  body,
  headers,
});
const get = (headers: Record<string, string> = {}): RequestInit => ({ headers });
const remove = (headers: Record<string, string> = {}): RequestInit => ({ method: "DELETE", headers });
const HEAD: RequestInit = { method: "HEAD" };
const POST: RequestInit = { method: "POST" };
const EVERY_OPERATION = [
  { op: "get", key: "full" },
  { op: "get", key: "bytes" },
  { op: "get", key: "nothing" },
  { op: "put", key: "batched", json: { a: 1 }, ttl: 60, metadata: null },
  { op: "increment", key: "batched-count", by: "9007199254740993" },
  { op: "delete", key: "batched" },
];

/** What is asked for, how, and the answer's status. */
type Ask = readonly [path: string, init: RequestInit, status: number];

/** By the operation's name: where it is, and what is asked of it, in this order. */
const ASKS: readonly (readonly [string, string, readonly Ask[]])[] = [
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
  [
    "listKeys",
    "/v1/buckets/described/keys",
    [
      ["", {}, 200],
      ["?values=true&reverse=true", {}, 200],
      ["?values=true&limit=2&start=b&end=z", {}, 200],
      ["", HEAD, 200],
      ["?limit=1001", {}, 400],
      ["?prefix=%FF", {}, 400],
      [`?prefix=${LONG}${LONG}`, {}, 400],
      ["?cursor=!", {}, 400],
    ],
  ],
  [
    "deleteKeys",
    "/v1/buckets/described/keys",
    [
      ["?prefix=nothing", remove(), 200],
      ["?prefix=nothing", remove(ASYNC), 202],
      ["?prefix=nothing", remove({ "If-Match": "*" }), 400],
      ["", remove(), 400],
    ],
  ],
  [
    "putKey",
    "/v1/buckets/described/keys/",
    [
      ["k", put(), 201],
      ["k", put(), 204],
      [`k?metadata=1&expires=${TOMORROW}`, put(), 204],
      ["k", put(ASYNC), 202],
      ["k", put({ "If-Match": '"0-0"' }), 412],
      ["k", put({ "If-Match": "0-0" }), 400],
      ["k?ttl=0", put(), 400],
      ["k?metadata={", put(), 400],
      [`k?metadata="${"x".repeat(1_024)}"`, put(), 400],
      ["k?expires=2000-01-01T00:00:00Z", put(), 400],
      [`k?ttl=1&expires=${TOMORROW}`, put(), 400],
      ["k", put({ "Content-Type": `text/${"x".repeat(300)}` }), 400],
      ["", put(), 400],
      [LONG, put(), 400],
      ["%FF", put(), 400],
      ["k?key64=!", put(), 400],
      ["k", put({}, LARGE), 413],
    ],
  ],
  [
    "getKey",
    "/v1/buckets/described/keys/",
    [
      ["full", {}, 200],
      ["json", {}, 200],
      ["large", {}, 200],
      ["?key64=ZnVsbA", {}, 200],
      ["full", get({ Range: "bytes=0-0" }), 206],
      ["large", get({ Range: "bytes=-1" }), 206],
      ["full", get({ Range: "bytes=9-" }), 416],
      ["full", get({ "If-None-Match": "*" }), 304],
      ["full", get({ "If-Match": '"0-0"' }), 412],
      ["full", get({ "If-Match": "0-0" }), 400],
      ["none", {}, 404],
      ["full?more=1", {}, 400],
      ["%00", {}, 400],
      [LONG, {}, 400],
    ],
  ],
  [
    "headKey",
    "/v1/buckets/described/keys/",
    [
      ["full", HEAD, 200],
      ["large", HEAD, 200],
      ["full", { ...HEAD, headers: { "If-None-Match": "*" } }, 304],
      ["full", { ...HEAD, headers: { "If-Match": '"0-0"' } }, 412],
      ["none", HEAD, 404],
      ["%00", HEAD, 400],
    ],
  ],
  [
    "deleteKey",
    "/v1/buckets/described/keys/",
    [
      ["k", remove(), 204],
      ["k", remove(), 204],
      ["k", remove(ASYNC), 202],
      ["full", remove({ "If-Match": '"0-0"' }), 412],
      ["full", remove({ "If-Match": "0-0" }), 400],
      ["", remove(), 400],
    ],
  ],
  [
    "incrementKey",
    "/v1/buckets/described/keys/",
    [
      ["count/increment", json({ by: 1 }, { "Idempotency-Key": "one" }), 200],
      ["count/increment", json({ by: 1 }, { "Idempotency-Key": "one" }), 200],
      ["count/increment", json({ by: 2 }, { "Idempotency-Key": "one" }), 422],
      ["count/increment", json({ by: 2 }, { "Idempotency-Key": "é" }), 400],
      ["count/increment", POST, 200],
      ["count/increment", { ...POST, headers: ASYNC }, 202],
      ["new-count/increment", json({ by: "9007199254740993", ttl: 60 }), 200],
      ["count/increment", json({}, { "If-Match": '"0-0"' }), 412],
      ["count/increment", json({ by: 1.5 }), 400],
      ["past/increment", json({ expires: "2000-01-01T00:00:00Z" }), 400],
      ["word/increment", POST, 409],
      ["max/increment", POST, 409],
      ["large/increment", POST, 409],
      ["count/increment", { ...POST, body: LARGE }, 413],
      ["count/increment", {}, 405],
    ],
  ],
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
  [
    "runCommands",
    "/v1/commands",
    [
      ["", { ...POST, body: "PING\n" }, 200],
      ["", { ...POST, body: "PING\n", headers: { "Content-Encoding": "gzip" } }, 415],
      ["", {}, 405],
    ],
  ],
  [
    "allEvents",
    "/v1/events",
    [
      ["", {}, 200],
      ["", get({ "Last-Event-ID": "?" }), 400],
      ["", HEAD, 200],
    ],
  ],
  [
    "describeRegistry",
    "/v1/registry",
    [
      ["", {}, 200],
      ["", HEAD, 200],
    ],
  ],
  [
    "listMetrics",
    "/metrics",
    [
      ["", {}, 200],
      ["", HEAD, 200],
    ],
  ],
  [
    "connectToAny",
    "/v1/connect",
    [
      ["", {}, 426],
      ["", HEAD, 426],
    ],
  ],
  [
    "openSession",
    "/v1/buckets/described/session",
    [
      ["", {}, 426],
      ["", HEAD, 426],
    ],
  ],
  [
    "connectToBucket",
    "/v1/buckets/described/connect",
    [
      ["", {}, 426],
      ["", HEAD, 426],
      ["/more", {}, 404],
    ],
  ],
  [
    "showStart",
    "/",
    [
      ["", {}, 200],
      ["", HEAD, 200],
      ["", POST, 405],
    ],
  ],
  [
    "health",
    "/healthz",
    [
      ["", {}, 200],
      ["", HEAD, 200],
      ["", POST, 405],
    ],
  ],
  [
    "describeApi",
    "/openapi.json",
    [
      ["", {}, 200],
      ["", HEAD, 200],
    ],
  ],
  [
    "showDocs",
    "/docs",
    [
      ["", {}, 200],
      ["", HEAD, 200],
    ],
  ],
];

describe.each(ASKS)("%s", (_, path, asks) => {
  it.each(
    asks.map(([rest, init, status]) => ({
      title: `${init.method ?? "GET"} ${path}${rest}`.slice(0, 80),
      url: path + rest,
      init,
      status,
    })),
  )("answers $title with $status", async ({ url, init, status }) => {
    const abort = new AbortController();
    const response = await fetch(server.http + url, { ...init, signal: abort.signal });
    expect(response.status).toBe(status);
    // Some of what is answered would never end.
    abort.abort();
  });
});

describe("what is about a bucket", () => {
  it.each([
    ["keys", {}],
    ["keys?prefix=", remove()],
    ["keys/k", {}],
    ["keys/k", HEAD],
    ["keys/k", put()],
    ["keys/k", put({}, new Uint8Array(2_000_000))],
    ["keys/k", remove()],
    ["keys/k/increment", POST],
    ["batch", json([])],
    ["transaction", json({})],
    ["watch", {}],
    ["export", {}],
    ["import", { ...POST, body: "{}" }],
    ["exit", json({ reason: "boom" })],
  ] as const)("is 404 where there is none: %s", async (rest, init) => {
    expect((await fetch(`${server.http}/v1/buckets/described-none/${rest}`, init)).status).toBe(404);
  });
});

describe("what is described", () => {
  it("is all asked for", async () => {
    const { paths } = (await (await fetch(`${server.http}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    const ids = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    const asked = ASKS.flatMap(([id, , asks]) => {
      const head = asks.some(([, init]) => init === HEAD) ? `${id}Head` : id;
      return ids.includes(head) ? [...new Set([id, head])] : [id];
    });
    expect(asked.toSorted()).toEqual(ids.toSorted());
  });
});
