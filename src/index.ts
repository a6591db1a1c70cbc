/** The Worker: HTTP and TCP in, and the classes of the objects behind them. */

import { authNotConfigured } from "./door.ts";
import type { Env } from "./env.ts";
import { failureOf } from "./errors.ts";
import { serveHttp } from "./http/app.ts";
import { serveAcross } from "./http/cors.ts";
import { problem } from "./http/problem.ts";
import { servePublic } from "./http/public.ts";
import { Target } from "./http/target.ts";
import { isolateOf } from "./isolate.ts";
import { Directory } from "./registry/directory.ts";
import { refuseTcp, serveTcp } from "./session/tcp.ts";

export { KvEntrypoint } from "./binding/entrypoint.ts";
export { Bucket } from "./bucket/bucket.ts";
export { Registry } from "./registry/registry.ts";

export default {
  fetch(request, env, ctx): Response | Promise<Response> {
    try {
      const { settings, door, cache } = isolateOf(env);
      const target = new Target(request.url);
      const keepAlive = (sent: Promise<unknown>): void => ctx.waitUntil(sent);
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
  },

  async connect(socket, env, ctx): Promise<void> {
    try {
      const { settings, door, cache } = isolateOf(env);
      if (door.state === "unconfigured") return await refuseTcp(socket, authNotConfigured());
      const admission = { admitted: door.state === "open", accepts: (token: string) => door.accepts(token) };
      const directory = new Directory(env, settings, cache, (sent) => ctx.waitUntil(sent));
      await serveTcp(socket, directory, admission);
    } catch (error) {
      await refuseTcp(socket, failureOf(error));
    }
  },
} satisfies ExportedHandler<Env>;
