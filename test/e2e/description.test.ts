/** The description that the server gives of itself, and what holds every response of these tests against it. */

import { createServer } from "node:http";
import { beforeAll, describe, expect, it } from "vitest";
import { Description, type Seen } from "./support/description.ts";
import { server } from "./support/shared-server.ts";

let description: Description;
beforeAll(async () => {
  const response = await fetch(`${server.http}/openapi.json`);
  description = new Description((await response.json()) as ConstructorParameters<typeof Description>[0]);
});

const PROBLEM = { type: "t", title: "t", status: 404, detail: "d", code: "c" };
const DELETED: Seen = {
  method: "DELETE",
  path: "/v1/buckets/b/keys?prefix=",
  status: 200,
  contentType: "application/json",
  body: '{"deleted":1}',
};
const VALUE: Seen = { method: "GET", path: "/v1/buckets/b/keys/k", status: 200, contentType: "image/png" };
const MISSING: Seen = {
  ...VALUE,
  status: 404,
  contentType: "application/problem+json",
  body: JSON.stringify(PROBLEM),
};
const NOWHERE: Seen = { ...MISSING, path: "/v1/nowhere" };

describe("a response that is as described", () => {
  it.each<[string, Seen]>([
    ["JSON", DELETED],
    ["JSON with parameters in its type", { ...DELETED, contentType: "application/json; charset=utf-8" }],
    ["bytes of any type", VALUE],
    ["a problem", MISSING],
    ["nothing", { ...VALUE, method: "PUT", status: 204, contentType: null, empty: true }],
    ["the head of a value", { ...VALUE, method: "HEAD", empty: true }],
    ["the head of a list", { ...DELETED, method: "HEAD", path: "/v1/buckets/b/keys", body: "" }],
    ["a key in the query", { ...VALUE, path: "/v1/buckets/b/keys?key64=aw" }],
    ["an empty key", { ...MISSING, method: "PUT", path: "/v1/buckets/b/keys/" }],
    ["a path that is nowhere", NOWHERE],
    ["a method that is not described", { ...MISSING, method: "PATCH", status: 405 }],
    [
      "the head of a stream",
      { ...VALUE, method: "HEAD", path: "/v1/events", contentType: "text/event-stream", empty: true },
    ],
  ])("is let through: %s", (_, seen) => {
    expect(description.faultOf(seen)).toBeUndefined();
  });
});

describe("a response that is not as described", () => {
  it.each<[string, Seen, RegExp]>([
    ["a member that is missing", { ...DELETED, body: "{}" }, /required property 'deleted'/],
    ["a member too many", { ...DELETED, body: '{"deleted":1,"more":1}' }, /additional properties/],
    ["a member of another type", { ...DELETED, body: '{"deleted":"1"}' }, /body\/deleted must be integer/],
    [
      "a wrong time, behind a reference",
      {
        ...DELETED,
        method: "GET",
        body: '{"keys":[{"key":"k","revision":1,"etag":"e","type":"t","size":1,"expires":"soon"}]}',
      },
      /body\/keys\/0\/expires must match/,
    ],
    ["a body that is no JSON", { ...DELETED, body: "deleted" }, /no JSON/],
    ["a problem without its code", { ...MISSING, body: "{}" }, /required property 'code'/],
    ["a status", { ...DELETED, status: 418 }, /status is not described; 200,.* are/],
    ["another method's status", { ...VALUE, status: 201 }, /status is not described/],
    ["a media type", { ...DELETED, contentType: "text/html" }, /text\/html is not described/],
    ["a problem as plain JSON", { ...MISSING, contentType: "application/json" }, /json is not described/],
    ["a body without a type", { ...DELETED, contentType: null }, /body without a media type/],
    [
      "a body where there is none",
      { ...VALUE, method: "PUT", status: 204 },
      /a body is not described, and it is image\/png/,
    ],
    ["a list's head of another type", { ...DELETED, method: "HEAD", contentType: "text/html" }, /text\/html/],
    ["an undescribed path that answers", { ...NOWHERE, status: 200 }, /none of 404, 405, 426, 401, 403/],
    ["an undescribed path in plain text", { ...NOWHERE, contentType: "text/plain" }, /no problem document/],
    ["an undescribed path's problem without code", { ...NOWHERE, body: "{}" }, /required property 'code'/],
  ])("is caught: %s", (_, seen, fault) => {
    expect(description.faultOf(seen)).toMatch(fault);
  });

  it("is named by its method, path and status", () => {
    expect(description.faultOf({ ...DELETED, status: 418 })).toMatch(
      /^DELETE \/v1\/buckets\/b\/keys\?prefix= → 418: /,
    );
  });
});

describe("what these tests fetch with", () => {
  it("lets no response through that the description does not allow", async () => {
    const document = await (await fetch(`${server.http}/openapi.json`)).text();
    const liar = createServer((request, response) => {
      response.setHeader("Content-Type", "application/json");
      response.end(request.url === "/openapi.json" ? document : '{"status":"so so"}');
    });
    await new Promise<void>((listening) => liar.listen(0, "127.0.0.1", listening));
    const { port } = liar.address() as { port: number };
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow(
      /GET \/healthz → 200: body\/status must be equal to constant/,
    );
    liar.close();
  });

  it("leaves the body to the test", async () => {
    const response = await fetch(`${server.http}/healthz`);
    expect(await response.json()).toEqual({ status: "ok" });
  });
});
