/** The description of the API, and its page. */

import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { API, PUBLIC_API } from "../../../src/http/api/api.ts";
import { openApi } from "../../../src/http/api/openapi.ts";
import { VERSION } from "../../../src/config/version.ts";

const get = (path: string, init?: RequestInit) =>
  exports.default.fetch(new Request(`http://localhost${path}`, init));

interface Description {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

describe("/openapi.json", () => {
  it("describes every route, each under a name of its own", async () => {
    const response = await get("/openapi.json");
    expect(response.headers.get("Content-Type")).toBe("application/json");
    const { openapi, paths } = await response.json<Description>();
    expect(openapi).toBe("3.1.0");
    expect(Object.keys(paths).toSorted()).toEqual(
      [...Object.keys(API), ...Object.keys(PUBLIC_API)].toSorted(),
    );
    const ids = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("describes operations that have one handler each", () => {
    const modules = import.meta.glob<Record<string, unknown>>("../../../src/http/*.ts", { eager: true });
    const ids = Object.values(API).flatMap((methods) => Object.values(methods).map(({ id }) => id));
    const handlers = ids.map((id) => [
      id,
      Object.values(modules).filter((exported) => Object.hasOwn(exported, id)).length,
    ]);
    expect(handlers).toEqual(ids.map((id) => [id, 1]));
  });

  it("has no dangling references", () => {
    const text = JSON.stringify(openApi(VERSION));
    const { components } = JSON.parse(text) as Description;
    const used = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    expect(used.length).toBeGreaterThan(20);
    expect(used.filter((name) => !Object.hasOwn(components.schemas, name ?? ""))).toEqual([]);
  });

  it("describes a HEAD for each GET, and what comes with a problem", () => {
    const { paths } = openApi(VERSION) as unknown as {
      paths: Record<
        string,
        Record<string, { responses: Record<string, { headers?: object; content?: object }> }>
      >;
    };
    const lookUp = paths["/v1/buckets/{bucket}"];
    expect(lookUp?.["head"]?.responses["200"]).toEqual(lookUp?.["get"]?.responses["200"]);
    expect(lookUp?.["get"]?.responses["401"]?.headers).toHaveProperty("WWW-Authenticate");
    for (const [path, { get: read, head }] of Object.entries(paths)) {
      // A HEAD upgrades nothing.
      const isAnswered = Object.keys(read?.responses ?? {}).some((status) => status.startsWith("2"));
      expect([path, head !== undefined]).toEqual([path, isAnswered]);
    }
    const getKey = paths["/v1/buckets/{bucket}/keys/{key}"]?.["get"];
    expect(getKey?.responses["416"]?.headers).toHaveProperty("Content-Range");
  });

  it("describes what is checked of a request", () => {
    const { paths } = openApi(VERSION) as unknown as {
      paths: Record<string, Record<string, { parameters: { name: string; schema: unknown }[] }>>;
    };
    const { parameters } = paths["/v1/buckets/{bucket}/keys"]?.["get"] ?? { parameters: [] };
    expect(parameters.find(({ name }) => name === "limit")?.schema).toEqual({
      type: "integer",
      minimum: 1,
      maximum: 1_000,
    });
    expect(parameters.find(({ name }) => name === "reverse")?.schema).toEqual({ type: "boolean" });
  });
});

// What the clients that are made from it depend on; test/deep/openapi-clients makes them.
describe("the bodies in the description", () => {
  type Content = Readonly<Record<string, { readonly schema: unknown }>>;
  interface Described {
    readonly operationId: string;
    readonly requestBody?: { readonly content: Content };
    readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
  }
  const { paths } = openApi(VERSION) as unknown as { paths: Record<string, Record<string, Described>> };
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  const operation = (id: string): Described | undefined =>
    operations.find(({ operationId }) => operationId === id);
  const bytes = { type: "string", format: "binary" };
  const givenBytes = { format: "binary", anyOf: [{ type: "string" }, bytes] };

  it("are bytes where bytes are sent as they are, of a type that a client can send", () => {
    const { content: put = {} } = operation("putKey")?.requestBody ?? {};
    expect(Object.entries(put)).toEqual([
      ["application/octet-stream", { schema: givenBytes }],
      ["*/*", { schema: givenBytes }],
    ]);
    expect(operation("importBucket")?.requestBody?.content).toEqual({
      "application/x-ndjson": { schema: { ...givenBytes, description: "Each line is an EntryLine." } },
    });
    expect(operation("getKey")?.responses["200"]?.content).toEqual({ "*/*": { schema: bytes } });
    expect(operation("exportBucket")?.responses["200"]?.content).toMatchObject({
      "application/x-ndjson": { schema: bytes },
    });
  });

  it("are no value in a response that only a cast gets, so that it adds nothing to a result's type", () => {
    const casts = operations.filter(
      ({ responses }) => "202" in responses && Object.keys(responses)[0] !== "202",
    );
    expect(casts.map(({ operationId }) => operationId)).toContain("incrementKey");
    for (const { operationId, responses } of casts) {
      expect([operationId, responses["202"]?.content]).toEqual([
        operationId,
        { "application/json": { schema: { type: ["null"], enum: [] } } },
      ]);
    }
  });

  it.each([
    ["createBucket", "200", "Bucket"],
    ["createBucket", "201", "Bucket"],
    ["listBuckets", "200", "Buckets"],
    ["listKeys", "200", "Keys"],
    ["deleteKeys", "200", "Removed"],
    ["incrementKey", "200", "Incremented"],
    ["runBatch", "200", "BatchResults"],
    ["runTransaction", "200", "TransactionResults"],
    ["importBucket", "200", "Imported"],
  ])("have a name where they are a result: %s, %s", (id, status, name) => {
    expect(operation(id)?.responses[status]?.content).toEqual({
      "application/json": { schema: { $ref: `#/components/schemas/${name}` } },
    });
  });
});

describe("/docs", () => {
  it("is a page that needs no script, and nothing from elsewhere", async () => {
    const response = await get("/docs");
    expect(response.headers.get("Content-Security-Policy")).toBe(
      "default-src 'none'; style-src 'unsafe-inline'",
    );
    const page = await response.text();
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).not.toMatch(/<script|src=|https?:\/\/(?!localhost)/);
    for (const methods of Object.values(API)) {
      for (const { id } of Object.values(methods)) expect(page).toContain(`id="${id}"`);
    }
  });
});

describe("what is public", () => {
  it("is answered to GET and HEAD only", async () => {
    expect((await get("/healthz", { method: "HEAD" })).status).toBe(200);
    const refused = await get("/healthz", { method: "POST" });
    expect([refused.status, refused.headers.get("Allow")]).toEqual([405, "GET, HEAD"]);
  });
});
