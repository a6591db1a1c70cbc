/** The HTTP API: routes to handlers. */

import { Hono } from "hono";
import type { Door } from "../door.ts";
import { failure, failureOf } from "../errors.ts";
import type { Directory } from "../registry/directory.ts";
import type { Settings } from "../settings.ts";
import { createBucket, listBuckets, lookUpBucket, stopBucket } from "./buckets.ts";
import { runCommands } from "./commands.ts";
import { connectToAny, connectToBucket } from "./connect.ts";
import { turnedAway } from "./guard.ts";
import { deleteKey, getKey, headKey, putKey } from "./keys.ts";
import { problem } from "./problem.ts";

/** What a request is served with. */
export interface Context {
  readonly directory: Directory;
  readonly door: Door;
  readonly settings: Settings;
}

type Handler = (request: Request, context: Context) => Response | Promise<Response>;
type Methods = Readonly<Record<string, Handler>>;

const BUCKETS: Methods = { GET: (request, { directory }) => listBuckets(request, directory) };

const BUCKET: Methods = {
  PUT: (request, { directory }) => createBucket(request, directory),
  GET: (request, { directory }) => lookUpBucket(request, directory),
  HEAD: (request, { directory }) => lookUpBucket(request, directory),
  DELETE: (request, { directory }) => stopBucket(request, directory),
};

const KEY: Methods = {
  PUT: (request, { directory }) => putKey(request, directory),
  GET: (request, { directory }) => getKey(request, directory),
  HEAD: (request, { directory }) => headKey(request, directory),
  DELETE: (request, { directory }) => deleteKey(request, directory),
};

const COMMANDS: Methods = {
  POST: (request, { directory, door }) => runCommands(request, directory, admitted(door)),
};

const CONNECT: Methods = { GET: (request, { directory, door }) => connectToAny(request, directory, admitted(door)) };

const CONNECT_BUCKET: Methods = { GET: (request, { directory }) => connectToBucket(request, directory) };

const app = new Hono<{ Bindings: Context }>()
  .all("/v1/buckets/:bucket/keys/:key{.*}", (c) => dispatch(KEY, c.req.raw, c.env))
  .all("/v1/buckets/:bucket/keys", (c) => dispatch(KEY, c.req.raw, c.env))
  .all("/v1/buckets/:bucket/connect", (c) => dispatch(CONNECT_BUCKET, c.req.raw, c.env))
  .all("/v1/buckets/:bucket", (c) => dispatch(BUCKET, c.req.raw, c.env))
  .all("/v1/buckets", (c) => dispatch(BUCKETS, c.req.raw, c.env))
  .all("/v1/commands", (c) => dispatch(COMMANDS, c.req.raw, c.env))
  .all("/v1/connect", (c) => dispatch(CONNECT, c.req.raw, c.env))
  .notFound((c) => problem(failure("path_not_found", `There is nothing at ${new URL(c.req.url).pathname}.`)))
  .onError((error) => problem(failureOf(error)));

/** Serves a request. Never throws: every failure is a problem document. */
export function serveHttp(request: Request, context: Context): Response | Promise<Response> {
  const why = turnedAway(request, context.door, context.settings);
  if (why !== undefined) return problem(why);
  return app.fetch(request, context);
}

/** Whether the service is up. Says nothing of its data, so it needs no token. */
export function health(): Response {
  return Response.json({ status: "ok" });
}

function dispatch(methods: Methods, request: Request, context: Context): Response | Promise<Response> {
  const handler = methods[request.method];
  if (handler !== undefined) return handler(request, context);
  const allowed = Object.keys(methods).join(", ");
  return problem(failure("method_not_allowed", `${request.method} is not for this path; ${allowed} is.`), {
    Allow: allowed,
  });
}

/** The guard has let the request in; an AUTH line is still looked at. */
function admitted(door: Door): { admitted: boolean; accepts: (token: string) => boolean } {
  return { admitted: true, accepts: (token) => door.accepts(token) };
}
