/** The Worker's own bugs, if the build has one (../broken.ts). */

import type { Env } from "../../../src/config/env.ts";
import type { Broken } from "../broken.ts";

declare global {
  /** Set by the bundler. */
  var TORTURE_BROKEN: string | undefined;
}

export const isBroken = (how: Broken): boolean => globalThis.TORTURE_BROKEN === how;

/** How long an answer waits for another one to be mixed up with, in milliseconds. */
const WAIT_MS = 5;

type Serve = (request: Request, env: Env, ctx: ExecutionContext) => Response | Promise<Response>;

/** The Worker, whose watches lose one piece of twenty if that is its bug. */
export function losing(serve: Serve): Serve {
  if (!isBroken("lost change")) return serve;
  return async (request, env, ctx) => {
    const answer = await serve(request, env, ctx);
    if (!new URL(request.url).pathname.endsWith("/watch") || answer.body === null) return answer;
    const lossy = new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, out) {
        if (Math.random() < 0.95) out.enqueue(piece);
      },
    });
    return new Response(answer.body.pipeThrough(lossy), answer);
  };
}

/** An answer as data: an object of one request can't be used by another one. */
interface Plain {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: ArrayBuffer;
}

/** The Worker, which mixes up two answers if that is its bug. */
export function mixing(serve: Serve): Serve {
  if (!isBroken("mixed answers")) return serve;
  let waiting: { readonly path: string; readonly swap: (answer: Plain) => Plain } | undefined;

  const mixed = (path: string, own: Plain): Plain | Promise<Plain> => {
    if (waiting !== undefined && waiting.path !== path) return waiting.swap(own);
    return new Promise((resolve) => {
      const first = {
        path,
        swap: (other: Plain): Plain => {
          waiting = undefined;
          resolve(other);
          return own;
        },
      };
      waiting = first;
      setTimeout(() => {
        if (waiting === first) waiting = undefined;
        resolve(own);
      }, WAIT_MS);
    });
  };

  return async (request, env, ctx) => {
    const { pathname } = new URL(request.url);
    const answer = await serve(request, env, ctx);
    if (request.method !== "GET" || !pathname.includes("/keys/")) return answer;
    const own = { status: answer.status, headers: [...answer.headers], body: await answer.arrayBuffer() };
    const { status, headers, body } = await mixed(pathname, own);
    return new Response(body, { status, headers: headers.map(([name, value]) => [name, value]) });
  };
}
