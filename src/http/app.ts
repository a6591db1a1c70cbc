/** The HTTP API: routes the paths of the API table to their handlers. */

import { Hono } from "hono";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { failure, failureOf, KvError } from "../model/errors.ts";
import { API, type OperationId } from "./api/api.ts";
import { isChange, type Endpoint } from "./api/endpoint.ts";
import { discardBody, refusePartial } from "../directory/body.ts";
import * as buckets from "./buckets.ts";
import * as commands from "./commands.ts";
import * as connect from "./connect.ts";
import type { Context } from "./context.ts";
import * as events from "./events.ts";
import * as exports from "./export.ts";
import { turnedAway } from "./guard.ts";
import * as imports from "./import.ts";
import * as keys from "./keys.ts";
import * as lists from "./lists.ts";
import * as operations from "./operations.ts";
import { methodNotAllowed, problem } from "./problem.ts";
import * as registry from "./registry.ts";
import { refuseUnheeded } from "./unheeded.ts";
import { serveUnstorage } from "./unstorage.ts";
import * as watch from "./watch.ts";

type Handler = (request: Request, context: Context) => Response | Promise<Response>;
type Methods = Readonly<Record<string, Handler>>;

/** Each handler has the id of its row in the API's table, so an endpoint needs no line here. */
const HANDLERS: Readonly<Record<OperationId, Handler>> = {
  ...buckets,
  ...commands,
  ...connect,
  ...events,
  ...exports,
  ...imports,
  ...keys,
  ...lists,
  ...operations,
  ...registry,
  ...watch,
};

const KEYS = "/v1/buckets/{bucket}/keys";
const KEY: Methods = methodsOf(API[`${KEYS}/{key}`]);

// One route for each path, with all its methods, so that a wrong method is 405 and a wrong path is 404.
const app = new Hono<{ Bindings: Context }>({
  router: new RegExpRouter(),
  // The normalized path. The router would decode more than the code that reads its segments.
  getPath: (request, options) => options?.env?.target.path ?? new URL(request.url).pathname,
});
for (const [path, endpoints] of Object.entries(API)) {
  const methods = methodsOf(endpoints);
  // A key that a path can't carry is in the query (?key64=); the path then ends before the key.
  const takesKey64 = path === KEYS;
  app.all(path.replaceAll(/\{(\w+)\}/g, ":$1"), ({ req, env }) =>
    dispatch(takesKey64 && env.target.hasKey64 ? KEY : methods, req.raw, env),
  );
}
app.all("/unstorage/*", ({ req, env }) => serveUnstorage(req.raw, env));
app.all("/v1/buckets/:bucket/keys/", ({ req, env }) => dispatch(KEY, req.raw, env));
app.notFound(({ env }) => problem(failure("path_not_found", `There is nothing at ${env.target.path}.`)));
app.onError(failed);

/** Serves a request. Never throws: every failure is a problem document. */
export function serveHttp(request: Request, context: Context): Response | Promise<Response> {
  const why = turnedAway(request, context);
  const answer = why === undefined ? serveAdmitted(request, context) : drained(request, problem(why));
  return context.auth.state === "open" ? withResourcePolicy(answer) : answer;
}

/**
 * Adds `Cross-Origin-Resource-Policy: same-origin` (Fetch standard). Without a token any web page could load stored values
 * as an image or a script; with this header the browser neither gives it the response nor shows whether there was one.
 */
function withResourcePolicy(answer: Response | Promise<Response>): Response | Promise<Response> {
  if (answer instanceof Promise) return answer.then(withResourcePolicy);
  // The guard checks the Origin of an upgrade. The headers of such a response can't be changed.
  if (answer.status !== 101) answer.headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return answer;
}

/** Serves a request that was authorized, or needs no token. Never throws. */
export function serveAdmitted(request: Request, context: Context): Response | Promise<Response> {
  return drained(request, context.target.isKey ? serveKey(request, context) : app.fetch(request, context));
}

/** Most requests are for one key: they go without the general router, which costs as much as the rest of the way. */
function serveKey(request: Request, context: Context): Response | Promise<Response> {
  try {
    const answer = dispatch(KEY, request, context);
    return answer instanceof Promise ? answer.catch(failed) : answer;
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): Response {
  return problem(failureOf(error));
}

/** Drains the body of a rejected request, so that the client can read the response. */
function drained(request: Request, answer: Response | Promise<Response>): Response | Promise<Response> {
  if (request.body === null) return answer;
  const drain = (response: Response): Response | Promise<Response> =>
    response.status < 400 ? response : discardBody(request).then(() => response);
  return answer instanceof Promise ? answer.then(drain) : drain(answer);
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

/** The handler of a HEAD: runs the GET and drops its body; a stream is cancelled at once. */
function headOf(get: Handler): Handler {
  return async (request, context) => {
    const { body, status, headers } = await get(request, context);
    await body?.cancel();
    return new Response(null, { status, headers });
  };
}

/** The handler of an endpoint. It rejects an unknown query, unsupported headers, and encoded or partial bodies first. */
function handlerOf(
  method: string,
  { id, query, headers, body }: Endpoint & { readonly id: OperationId },
): Handler {
  const handler = HANDLERS[id];
  return (request, context) => {
    if (query === undefined && context.target.hasQuery) {
      const [name = ""] = context.target.query.keys();
      throw new KvError("query_invalid", `Unknown query parameter ?${name}=. This request takes no query.`);
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
