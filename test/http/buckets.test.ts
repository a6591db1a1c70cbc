/** Buckets over HTTP: create, look up, list, stop. */

import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  exports.default.fetch(new Request(`http://localhost/v1/buckets${path}`, init));
const create = (name: string, options?: unknown, headers: HeadersInit = {}): Promise<Response> =>
  ask(`/${name}`, {
    method: "PUT",
    headers,
    ...(options === undefined ? {} : { body: JSON.stringify(options) }),
  });

interface Listing {
  readonly buckets: readonly { readonly name: string }[];
  readonly cursor?: string;
}

describe("PUT /v1/buckets/{b}", () => {
  it("creates a bucket once", async () => {
    const made = await create("made", { metadata: { team: "shop" } });
    expect(made.status).toBe(201);
    expect(made.headers.get("Location")).toBe("/v1/buckets/made");
    const body: unknown = await made.json();
    expect(body).toMatchObject({
      name: "made",
      id: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      incarnation: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      status: "running",
      restart: "permanent",
      metadata: { team: "shop" },
    });
    const there = await create("made");
    expect(there.status).toBe(200);
    expect(await there.json()).toEqual(body);
  });

  it("with If-None-Match: * only creates", async () => {
    expect((await create("only-new", undefined, { "If-None-Match": "*" })).status).toBe(201);
    expect((await create("only-new", undefined, { "If-None-Match": "*" })).status).toBe(412);
  });

  const given = { restart: "temporary", metadata: { a: 1, b: [2] }, locationHint: "weur" };

  it.each([
    ["restart", { restart: "permanent" }],
    ["metadata", { metadata: { a: 2, b: [2] } }],
    ["metadata", { metadata: null }],
    ["locationHint", { locationHint: "enam" }],
    ["jurisdiction", { jurisdiction: "eu" }],
  ])("refuses a %s that the bucket was not created with: %j", async (option, options) => {
    await create("differently", given);
    const response = await create("differently", options);
    expect(response.status).toBe(409);
    const { code, detail } = await response.json<{ code: string; detail: string }>();
    expect(code).toBe("bucket_exists_differently");
    expect(detail).toContain(option);
    expect(await (await ask("/differently")).json()).toMatchObject(given);
  });

  it("refuses options that differ from those of an existing bucket, also if it was created without any", async () => {
    await create("without");
    expect((await create("without", { restart: "permanent" })).status).toBe(200);
    for (const options of [{ restart: "temporary" }, { metadata: 1 }, { locationHint: "weur" }]) {
      expect((await create("without", options)).status).toBe(409);
    }
  });

  it("may be repeated with the same options, some of them or none", async () => {
    await create("same", given);
    for (const options of [given, { metadata: { b: [2], a: 1 } }, { restart: "temporary" }, {}, undefined]) {
      const response = await create("same", options);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject(given);
    }
    const { buckets } = await (await ask("?prefix=same")).json<{ buckets: unknown[] }>();
    expect(buckets).toMatchObject([given]);
  });

  it.each([
    ["not JSON", "{", "body_invalid"],
    ["no object", "[]", "body_invalid"],
    ["an option that there is not", '{"color":"red"}', "body_invalid"],
    ["a hint that there is not", '{"locationHint":"moon"}', "body_invalid"],
    ["a jurisdiction that there is not", '{"jurisdiction":"moon"}', "body_invalid"],
    ["a kind of restart that there is not", '{"restart":"transient"}', "body_invalid"],
    ["too much metadata", JSON.stringify({ metadata: "x".repeat(1_023) }), "metadata_too_large"],
  ])("with a body that is %s makes nothing", async (_, body, code) => {
    const response = await ask("/never-made", { method: "PUT", body });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code });
    expect((await ask("/never-made")).status).toBe(404);
  });

  it("takes a location hint and metadata of exactly the limit", async () => {
    expect((await create("hinted", { locationHint: "weur", metadata: "x".repeat(1_022) })).status).toBe(201);
  });

  it("reports that a jurisdiction is not available", async () => {
    const response = await create("european", { jurisdiction: "eu" });
    expect([201, 400]).toContain(response.status);
    if (response.status === 400)
      expect(await response.json()).toMatchObject({ code: "jurisdiction_unavailable" });
  });
});

describe("GET /v1/buckets/{b}", () => {
  it("shows what the registry and the bucket know, without a scan", async () => {
    await create("known");
    await ask("/known/keys/milk", { method: "PUT", body: "12345" });
    const response = await ask("/known");
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      name: "known",
      status: "running",
      entries: 1,
      bytes: 9,
      revision: 1,
    });
    expect((await ask("/known", { method: "HEAD" })).status).toBe(200);
    expect((await ask("/unknown")).status).toBe(404);
  });
});

describe("DELETE /v1/buckets/{b}", () => {
  it("ends the bucket and frees its name", async () => {
    await create("ended");
    await ask("/ended/keys/milk", { method: "PUT", body: "1" });
    expect((await ask("/ended", { method: "DELETE" })).status).toBe(204);
    expect((await ask("/ended")).status).toBe(404);
    expect((await ask("/ended", { method: "DELETE" })).status).toBe(404);
    expect((await create("ended")).status).toBe(201);
    expect((await ask("/ended/keys/milk")).status).toBe(404);
  });
});

describe("GET /v1/buckets", () => {
  it("lists by prefix, page after page", async () => {
    const names = ["p-1", "p-2", "p-3", "p-4", "p-5"];
    await Promise.all(names.map((name) => create(name)));
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({
        prefix: "p-",
        limit: "2",
        ...(cursor === undefined ? {} : { cursor }),
      });
      const page: Listing = await (await ask(`?${query.toString()}`)).json();
      found.push(...page.buckets.map(({ name }) => name));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(found).toEqual(names);
  });

  it.each([
    ["limit=0", "query_invalid"],
    ["limit=1001", "query_invalid"],
    ["limit=x", "query_invalid"],
    ["cursor=!", "cursor_invalid"],
  ])("with ?%s is turned down", async (query, code) => {
    const response = await ask(`?${query}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code });
  });
});
