/** The HTTP API: routes to handlers. */

import { Hono } from "hono";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { failure, failureOf } from "../errors.ts";
import {
  createBucket,
  describeRegistry,
  exitBucket,
  listBuckets,
  lookUpBucket,
  stopBucket,
} from "./buckets.ts";
import { runCommands } from "./commands.ts";
import { connectToAny, connectToBucket } from "./connect.ts";
import type { Context } from "./context.ts";
import { allEvents, bucketEvents } from "./events.ts";
import { turnedAway } from "./guard.ts";
import { deleteKey, getKey, headKey, putKey } from "./keys.ts";
import { problem } from "./problem.ts";

type Handler = (request: Request, context: Context) => Response | Promise<Response>;
type Methods = Readonly<Record<string, Handler>>;

const BUCKETS: Methods = { GET: listBuckets, HEAD: listBuckets };
const BUCKET: Methods = { PUT: createBucket, GET: lookUpBucket, HEAD: lookUpBucket, DELETE: stopBucket };
const KEY: Methods = { PUT: putKey, GET: getKey, HEAD: headKey, DELETE: deleteKey };
const EXIT: Methods = { POST: exitBucket };
const MONITOR: Methods = { GET: bucketEvents };
const EVENTS: Methods = { GET: allEvents };
const REGISTRY: Methods = { GET: describeRegistry, HEAD: describeRegistry };
const COMMANDS: Methods = { POST: runCommands };
const CONNECT: Methods = { GET: connectToAny };
const CONNECT_BUCKET: Methods = { GET: connectToBucket };

// Every path stands for one set of methods, so that a wrong method can be told from a wrong path.
const app = new Hono<{ Bindings: Context }>({ router: new RegExpRouter() });
for (const [path, methods] of [
  ["/v1/buckets/:bucket/keys/:key", KEY],
  ["/v1/buckets/:bucket/keys/", KEY],
  ["/v1/buckets/:bucket/keys", KEY],
  ["/v1/buckets/:bucket/connect", CONNECT_BUCKET],
  ["/v1/buckets/:bucket/exit", EXIT],
  ["/v1/buckets/:bucket/monitor", MONITOR],
  ["/v1/buckets/:bucket", BUCKET],
  ["/v1/buckets", BUCKETS],
  ["/v1/events", EVENTS],
  ["/v1/registry", REGISTRY],
  ["/v1/commands", COMMANDS],
  ["/v1/connect", CONNECT],
] as const) {
  app.all(path, ({ req, env }) => dispatch(methods, req.raw, env));
}
app.notFound(({ env }) => problem(failure("path_not_found", `There is nothing at ${env.target.path}.`)));
app.onError((error) => problem(failureOf(error)));

/** Serves a request. Never throws: every failure is a problem document. */
export function serveHttp(request: Request, context: Context): Response | Promise<Response> {
  const why = turnedAway(request, context);
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
