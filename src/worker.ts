/** The deployed Worker: HTTP and TCP handlers, and the classes of the Durable Objects. */

import { authNotConfigured } from "./config/auth.ts";
import type { Env } from "./config/env.ts";
import { Login } from "./connection/login.ts";
import { refuseTcp, serveTcp } from "./connection/tcp.ts";
import type { KeepAlive } from "./directory/directory.ts";
import { directoryOf, isolateOf } from "./directory/isolate.ts";
import { serveHttp } from "./http/app.ts";
import { Context } from "./http/context.ts";
import { serveAcross } from "./http/cors.ts";
import { problem } from "./http/problem.ts";
import { servePublic } from "./http/public.ts";
import { failure, failureOf, type Failure } from "./model/errors.ts";

export { KvEntrypoint } from "./binding/entrypoint.ts";
export { KvNamespace } from "./binding/kv-namespace.ts";
export { Bucket } from "./bucket/bucket.ts";
export { Registry } from "./registry/registry.ts";

export default {
  fetch: (request, env, ctx) => serveRequest(request, env, (sent) => ctx.waitUntil(sent)),
  connect: (socket, env, ctx) => serveConnection(socket, env, (sent) => ctx.waitUntil(sent)),
} satisfies ExportedHandler<Env>;

/** Serves an HTTP request. Never throws. */
export function serveRequest(request: Request, env: Env, keepAlive: KeepAlive): Response | Promise<Response> {
  try {
    const context = new Context(request, env, keepAlive);
    const { auth, settings, target } = context;
    return serveAcross(request, settings.origins, () => {
      const publicResponse = auth.state === "unconfigured" ? undefined : servePublic(request, target.path);
      return publicResponse ?? serveHttp(request, context);
    });
  } catch (error) {
    // Invalid settings: report which, and serve nothing.
    return problem(failureOf(error));
  }
}

/** Serves a TCP connection. Never throws. */
export async function serveConnection(socket: Socket, env: Env, keepAlive: KeepAlive): Promise<void> {
  try {
    const { auth } = isolateOf(env);
    if (auth.state === "unconfigured") return await refuseTcp(socket, authNotConfigured());
    const { remoteAddress } = await socket.opened;
    // An HTTP CONNECT arrives here too. It has no remote address, and it has bypassed the checks of Host and Origin.
    if (remoteAddress === undefined) return await refuseTcp(socket, noTunnel());
    const login = new Login(auth, remoteAddress);
    await serveTcp(socket, directoryOf(env, keepAlive), login);
  } catch (error) {
    await refuseTcp(socket, failureOf(error));
  }
}

function noTunnel(): Failure {
  return failure("wrong_protocol", "This is not a proxy: CONNECT is not supported on this port.");
}
