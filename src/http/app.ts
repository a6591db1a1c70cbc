/** The HTTP API: the table's paths to their handlers. */

import { Hono } from "hono";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { failure, failureOf, KvError } from "../model/errors.ts";
import { API, type OperationId } from "./api/api.ts";
import { isChange, type Endpoint } from "./api/endpoint.ts";
import { discardBody, refusePartial } from "../directory/body.ts";
import { createBucket, exitBucket, listBuckets, lookUpBucket, stopBucket } from "./buckets.ts";
import { runCommands } from "./commands.ts";
import { connectToAny, connectToBucket, openSession } from "./connect.ts";
import type { Context } from "./context.ts";
import { allEvents, bucketEvents } from "./events.ts";
import { exportBucket } from "./export.ts";
import { turnedAway } from "./guard.ts";
import { importBucket } from "./import.ts";
import { deleteKey, getKey, headKey, putKey } from "./keys.ts";
import { deleteKeys, listKeys } from "./lists.ts";
import { incrementKey, runBatch, runTransaction } from "./operations.ts";
import { methodNotAllowed, problem } from "./problem.ts";
import { describeRegistry, listMetrics } from "./registry.ts";
import { refuseUnheeded } from "./unheeded.ts";
import { serveUnstorage } from "./unstorage.ts";
import { watchBucket } from "./watch.ts";

type Handler = (request: Request, context: Context) => Response | Promise<Response>;
type Methods = Readonly<Record<string, Handler>>;

const HANDLERS: Readonly<Record<OperationId, Handler>> = {
  listBuckets,
  createBucket,
  lookUpBucket,
  stopBucket,
  exitBucket,
  monitorBucket: bucketEvents,
  listKeys,
  deleteKeys,
  putKey,
  getKey,
  headKey,
  deleteKey,
  incrementKey,
  runBatch,
  runTransaction,
  watchBucket,
  exportBucket,
  importBucket,
  connectToBucket,
  openSession,
  connectToAny,
  runCommands,
  allEvents,
  describeRegistry,
  listMetrics,
};

const KEYS = "/v1/buckets/{bucket}/keys";
const KEY: Methods = methodsOf(API[`${KEYS}/{key}`]);

// Every path stands for one set of methods, so that a wrong method can be told from a wrong path.
const app = new Hono<{ Bindings: Context }>({
  router: new RegExpRouter(),
  // The router would decode more of it than what looks at its segments.
  getPath: (request, options) => options?.env?.target.path ?? new URL(request.url).pathname,
});
for (const [path, endpoints] of Object.entries(API)) {
  const methods = methodsOf(endpoints);
  // A key that no path can carry comes in the query, and the path ends where the key would stand.
  const takesKey64 = path === KEYS;
  app.all(path.replaceAll(/\{(\w+)\}/g, ":$1"), ({ req, env }) =>
    dispatch(takesKey64 && env.target.hasKey64 ? KEY : methods, req.raw, env),
  );
}
app.all("/unstorage/*", ({ req, env }) => serveUnstorage(req.raw, env));
app.all("/v1/buckets/:bucket/keys/", ({ req, env }) => dispatch(KEY, req.raw, env));
app.notFound(({ env }) => problem(failure("path_not_found", `There is nothing at ${env.target.path}.`)));
app.onError((error) => problem(failureOf(error)));

/** Serves a request. Never throws: every failure is a problem document. */
export function serveHttp(request: Request, context: Context): Response | Promise<Response> {
  const why = turnedAway(request, context);
  const answer = why === undefined ? serveAdmitted(request, context) : readOut(request, problem(why));
  return context.auth.state === "open" ? forOwnPages(answer) : answer;
}

/**
 * Without a token any page can ask for what is stored, as an image or a script of its own: its browser is not to let it
 * have the answer, nor see whether there was one (Fetch standard, Cross-Origin-Resource-Policy).
 */
function forOwnPages(answer: Response | Promise<Response>): Response | Promise<Response> {
  if (answer instanceof Promise) return answer.then(forOwnPages);
  // An upgrade is guarded by its Origin, and its headers are not ours to change.
  if (answer.status !== 101) answer.headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return answer;
}

/** Serves a request of somebody who need not show a token. Never throws. */
export function serveAdmitted(request: Request, context: Context): Response | Promise<Response> {
  return readOut(request, app.fetch(request, context));
}

/** Who is refused in the middle of a body can hear why when it has been read. */
function readOut(request: Request, answer: Response | Promise<Response>): Response | Promise<Response> {
  if (request.body === null) return answer;
  return Promise.resolve(answer).then(async (response) => {
    if (response.status >= 400) await discardBody(request);
    return response;
  });
}

function methodsOf(endpoints: Readonly<Record<string, Endpoint & { readonly id: OperationId }>>): Methods {
  const { GET: get } = endpoints;
  return {
    ...(get === undefined || "HEAD" in endpoints ? {} : { HEAD: headOf(handlerOf("HEAD", get)) }),
    ...Object.fromEntries(
      Object.entries(endpoints).map(([method, endpoint]) => [method, handlerOf(method, endpoint)]),
    ),
  };
}

/** What a GET would say, without its body: a stream that has begun is given up at once. */
function headOf(get: Handler): Handler {
  return async (request, context) => {
    const { body, status, headers } = await get(request, context);
    await body?.cancel();
    return new Response(null, { status, headers });
  };
}

/** What is not understood is refused, wherever it stands: in a query that is not taken, in a header that is not heeded. */
function handlerOf(
  method: string,
  { id, query, headers, body }: Endpoint & { readonly id: OperationId },
): Handler {
  const handler = HANDLERS[id];
  return (request, context) => {
    if (query === undefined && context.target.hasQuery) {
      const [name = ""] = context.target.query.keys();
      throw new KvError("query_invalid", `?${name}= is not known here: this call takes no query.`);
    }
    if (isChange(method)) refuseUnheeded(request.headers, headers);
    if (body !== undefined) refusePartial(request.headers);
    return handler(request, context);
  };
}

function dispatch(methods: Methods, request: Request, context: Context): Response | Promise<Response> {
  const handler = methods[request.method];
  if (handler !== undefined) return handler(request, context);
  const allowed = Object.keys(methods).join(", ");
  return methodNotAllowed(request.method, allowed);
}
