/** What lasts as long as the isolate. Plain data, so requests may share it. */

import { Auth } from "../config/auth.ts";
import type { Env } from "../config/env.ts";
import { settingsOf, type Settings } from "../config/settings.ts";
import { BoundedCache } from "../lib/bounded-cache.ts";
import { connections } from "../lib/connections.ts";
import { Directory, type DirectoryCache, type KeepAlive } from "./directory.ts";

export interface Isolate {
  readonly settings: Settings;
  readonly auth: Auth;
  /** Where buckets were last found. */
  readonly cache: DirectoryCache;
}

let isolate: Isolate | undefined;

/** @throws {KvError} `settings_invalid` */
export function isolateOf(env: Env): Isolate {
  if (isolate === undefined) {
    const settings = settingsOf(env);
    connections.limit = settings.maxConnections;
    isolate = {
      settings,
      auth: new Auth(settings),
      cache: new BoundedCache({ limit: settings.directoryNames }),
    };
  }
  return isolate;
}

/** A request's way to the registry and its buckets. @throws {KvError} `settings_invalid` */
export function directoryOf(env: Env, keepAlive: KeepAlive): Directory {
  const { settings, cache } = isolateOf(env);
  return new Directory(env, settings, cache, keepAlive);
}
