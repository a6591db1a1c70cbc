/** The Worker: HTTP and TCP in, and the classes of the objects behind them. */

import { authNotConfigured } from "./config/auth.ts";
import type { Env } from "./config/env.ts";
import { failure, failureOf, type Failure } from "./model/errors.ts";
import { serveHttp } from "./http/app.ts";
import { serveAcross } from "./http/cors.ts";
import { problem } from "./http/problem.ts";
import { servePublic } from "./http/public.ts";
import { Target } from "./http/target.ts";
import { isolateOf } from "./directory/isolate.ts";
import { Directory } from "./directory/directory.ts";
import { Login } from "./connection/login.ts";
import { refuseTcp, serveTcp } from "./connection/tcp.ts";

export { KvEntrypoint } from "./binding/entrypoint.ts";
export { Bucket } from "./bucket/bucket.ts";
export { Registry } from "./registry/registry.ts";

export default {
  fetch: (request, env, ctx) => serveRequest(request, env, (sent) => ctx.waitUntil(sent)),
  connect: (socket, env, ctx) => serveConnection(socket, env, (sent) => ctx.waitUntil(sent)),
} satisfies ExportedHandler<Env>;

/** Lets what was sent without waiting go on when the request has been answered. */
type KeepAlive = (sent: Promise<unknown>) => void;

/** Serves an HTTP request. Never throws. */
export function serveRequest(request: Request, env: Env, keepAlive: KeepAlive): Response | Promise<Response> {
  try {
    const { settings, door, cache } = isolateOf(env);
    const target = new Target(request.url);
    const context = {
      target,
      settings,
      door,
      directory: new Directory(env, settings, cache, keepAlive),
      keepAlive,
    };
    return serveAcross(request, settings.origins, () => {
      const open = door.state === "unconfigured" ? undefined : servePublic(request, target.path);
      return open ?? serveHttp(request, context);
    });
  } catch (error) {
    // Settings that make no sense: say which, and serve nothing.
    return problem(failureOf(error));
  }
}

/** Serves a TCP connection. Never throws. */
export async function serveConnection(socket: Socket, env: Env, keepAlive: KeepAlive): Promise<void> {
  try {
    const { settings, door, cache } = isolateOf(env);
    if (door.state === "unconfigured") return await refuseTcp(socket, authNotConfigured());
    const { remoteAddress } = await socket.opened;
    // An HTTP CONNECT comes here too, and has no peer: it got past the host and the origin that guard HTTP.
    if (remoteAddress === undefined) return await refuseTcp(socket, noTunnel());
    const login = new Login(door, remoteAddress);
    await serveTcp(socket, new Directory(env, settings, cache, keepAlive), login);
  } catch (error) {
    await refuseTcp(socket, failureOf(error));
  }
}

function noTunnel(): Failure {
  return failure("wrong_protocol", "This is no proxy: CONNECT is not for this port.");
}
