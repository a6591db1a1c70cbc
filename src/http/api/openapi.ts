/** /openapi.json: the API's description in OpenAPI 3.1, made from the API table and its schemas. */

import * as z from "zod/mini";
import { failure, type ErrorCode } from "../../model/errors.ts";
import { ProblemAnswer } from "../../schema/answers.ts";
import { API, PUBLIC_API } from "./api.ts";
import {
  HEADERS,
  isChange,
  TAGS,
  type Content,
  type Endpoint,
  type HeaderName,
  type Table,
} from "./endpoint.ts";

/** A JSON object. */
export type JsonObject = { readonly [name: string]: unknown };

/** Errors of every endpoint that needs auth. */
const EVERYWHERE: readonly ErrorCode[] = [
  "unauthorized",
  "origin_not_allowed",
  "host_not_allowed",
  "crash",
  "settings_invalid",
  "partitions_mismatch",
  "auth_not_configured",
  "overloaded",
  "unavailable",
  "server_stopping",
  "storage_newer",
  "restart_intensity",
  "timeout",
];

const DESCRIPTION = `Named buckets of keys and values, strongly consistent, on Cloudflare Workers and Durable Objects.

Errors are \`application/problem+json\` (RFC 9457) with a stable \`code\`. A 5xx never means “failed”: the outcome is unknown. A request waits for its result, up to a deadline, unless it has \`Prefer: respond-async\`.`;

/** The whole document. */
export function openApi(version: string): JsonObject {
  return {
    openapi: "3.1.0",
    info: {
      title: "Durable KV",
      version,
      description: DESCRIPTION,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "The server that served this document." }],
    security: [{ token: [] }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: { ...paths(withHeads(API), EVERYWHERE), ...paths(withHeads(PUBLIC_API), []) },
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: schemas(),
    },
  };
}

// Clients are generated from these schemas. docs/openapi.md says with what, and test/deep tries them.
const TEXT = { type: "string" };
const BYTES = { type: "string", format: "binary" };
/**
 * Bytes of a request. By the outer `format` clients know that they send them as they are, and not as a JSON string; by
 * the alternatives they take text too, which has its bytes in UTF-8.
 */
const GIVEN_BYTES = { format: "binary", anyOf: [TEXT, BYTES] };
/**
 * No value at all. Without a schema, clients would take this body for anything, and so the result of the call. They read
 * this one as none, or as null.
 */
const NOTHING = { type: ["null"], enum: [] };

/** Adds a HEAD for each GET. Its answers have the content of the GET, as OpenAPI describes a HEAD. */
function withHeads(api: Table): Table {
  return Object.fromEntries(
    Object.entries(api).map(([path, methods]) => {
      const { GET: get } = methods;
      if (get === undefined || "HEAD" in methods) return [path, methods];
      // A HEAD can't upgrade, so an endpoint that only upgrades has none.
      const { 101: _, ...answers } = get.answers;
      if (Object.keys(answers).length === 0) return [path, methods];
      const head = { ...get, id: `${get.id}Head`, summary: `${get.summary}: headers only`, answers };
      return [path, { ...methods, HEAD: head }];
    }),
  );
}

function paths(api: Table, errors: readonly ErrorCode[]): JsonObject {
  return Object.fromEntries(
    Object.entries(api).map(([path, methods]) => [
      path,
      Object.fromEntries(
        Object.entries(methods).map(([method, endpoint]) => [
          method.toLowerCase(),
          operation(path, method, endpoint, errors),
        ]),
      ),
    ]),
  );
}

function operation(
  path: string,
  method: string,
  endpoint: Endpoint,
  everywhere: readonly ErrorCode[],
): JsonObject {
  const { id, tag, summary, description, headers = [], query, body, answers, errors = [] } = endpoint;
  const nameErrors = path.includes("{bucket}") ? (["bucket_name_invalid"] as const) : [];
  const queryErrors = query === undefined && everywhere.length > 0 ? (["query_invalid"] as const) : [];
  const headerErrors = isChange(method) ? (["header_invalid"] as const) : [];
  const encodingErrors = body === undefined ? [] : (["content_encoding_unsupported"] as const);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(everywhere.length === 0 ? { security: [] } : {}),
    parameters: [
      ...Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = ""]) => pathParameter(name)),
      ...(query === undefined ? [] : queryParameters(query)),
      ...headers.map((name) => ({
        name,
        in: "header",
        description: HEADERS[name],
        schema: { type: "string" },
      })),
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required: body.optional !== true, content: contentOf(body, GIVEN_BYTES) } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)])),
      ...problems([
        ...nameErrors,
        ...queryErrors,
        ...headerErrors,
        ...encodingErrors,
        ...errors,
        ...everywhere,
      ]),
    },
  };
}

function answerOf({ description, content, headers = [] }: Endpoint["answers"][number]): JsonObject {
  return {
    description,
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers.map(headerOf)) }),
    ...(content === undefined ? {} : { content: contentOf(content) }),
  };
}

function headerOf(name: HeaderName): [string, JsonObject] {
  return [name, { description: HEADERS[name], schema: { type: "string" } }];
}

function pathParameter(name: string): JsonObject {
  const description =
    name === "bucket"
      ? '1–256 bytes of printable ASCII without space, `/` and `"`.'
      : "1–1,024 bytes of UTF-8, percent-encoded once.";
  return { name, in: "path", required: true, description, schema: { type: "string" } };
}

function queryParameters(schema: z.core.$ZodObject): JsonObject[] {
  const { properties = {} } = jsonSchema(schema) as { properties?: Record<string, JsonObject> };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: "query",
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function contentOf(content: Content, bytes: JsonObject = BYTES): JsonObject {
  if (content === "none") return { "application/json": { schema: NOTHING } };
  if ("json" in content) return { "application/json": { schema: reference(content.json) } };
  if ("text" in content) return { [content.text]: { schema: TEXT } };
  const { bytes: types, line } = content;
  const schema = line === undefined ? bytes : { ...bytes, description: lineDescription(line) };
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

function lineDescription(line: z.core.$ZodType): string {
  return `Each line is an ${idOf(line)}.`;
}

/** The headers of a problem, by status. */
const PROBLEM_HEADERS: Readonly<Record<string, readonly HeaderName[]>> = {
  401: ["WWW-Authenticate"],
  416: ["Content-Range"],
  426: ["Upgrade"],
  503: ["Retry-After"],
};

/** One response for each status, listing its codes. */
function problems(codes: readonly ErrorCode[]): JsonObject {
  const byStatus = new Map<number, string[]>();
  for (const code of new Set(codes)) {
    const { status, title } = failure(code, "");
    byStatus.set(status, [...(byStatus.get(status) ?? []), `\`${code}\` (${title})`]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, texts]) => [
      status,
      {
        ...answerOf({ description: `${texts.join(", ")}.`, headers: PROBLEM_HEADERS[status] ?? [] }),
        content: { "application/problem+json": { schema: reference(ProblemAnswer) } },
      },
    ]),
  );
}

function reference(schema: z.core.$ZodType): JsonObject {
  const id = idOf(schema);
  return id === undefined ? jsonSchema(schema) : { $ref: pathOf(id) };
}

function idOf(schema: z.core.$ZodType): string | undefined {
  return z.globalRegistry.get(schema)?.id;
}

function pathOf(id: string): string {
  return `#/components/schemas/${id}`;
}

function schemas(): JsonObject {
  const { schemas: all } = z.toJSONSchema(z.globalRegistry, { io: "input", uri: pathOf });
  return Object.fromEntries(Object.entries(all).map(([id, schema]) => [id, withoutMarks(schema)]));
}

function jsonSchema(schema: z.core.$ZodType): JsonObject {
  return withoutMarks(z.toJSONSchema(schema, { io: "input" }));
}

/** Removes `$schema` and `$id`, which the document itself states. */
function withoutMarks(schema: JsonObject): JsonObject {
  const { $schema: _, $id: __, ...rest } = schema;
  return rest;
}
