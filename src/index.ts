/** The Worker: HTTP and TCP in, and the classes of the objects behind them. */

import { authNotConfigured, Door } from "./door.ts";
import type { Env } from "./env.ts";
import { failureOf } from "./errors.ts";
import { health, serveHttp } from "./http/app.ts";
import { problem } from "./http/problem.ts";
import { BoundedCache } from "./registry/cache.ts";
import { Directory, type DirectoryCache } from "./registry/directory.ts";
import { refuseTcp, serveTcp } from "./session/tcp.ts";
import { settingsOf } from "./settings.ts";

export { Bucket } from "./bucket/bucket.ts";
export { Registry } from "./registry/registry.ts";

/** What this isolate has learnt of where buckets are. Plain data, so requests may share it. */
let cache: DirectoryCache | undefined;

export default {
  fetch(request, env, ctx): Response | Promise<Response> {
    try {
      const settings = settingsOf(env);
      const door = new Door(settings);
      if (door.state !== "unconfigured" && new URL(request.url).pathname === "/healthz") return health();
      return serveHttp(request, { settings, door, directory: directoryOf(env, ctx) });
    } catch (error) {
      // Settings that make no sense: say which, and serve nothing.
      return problem(failureOf(error));
    }
  },

  async connect(socket, env, ctx): Promise<void> {
    try {
      const door = new Door(settingsOf(env));
      if (door.state === "unconfigured") return await refuseTcp(socket, authNotConfigured());
      const admission = { admitted: door.state === "open", accepts: (token: string) => door.accepts(token) };
      await serveTcp(socket, directoryOf(env, ctx), admission);
    } catch (error) {
      await refuseTcp(socket, failureOf(error));
    }
  },
} satisfies ExportedHandler<Env>;

function directoryOf(env: Env, ctx: ExecutionContext): Directory {
  const settings = settingsOf(env);
  cache ??= new BoundedCache(settings.directoryNames);
  return new Directory(env, settings, cache, (sent) => ctx.waitUntil(sent));
}
