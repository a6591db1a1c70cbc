/** State of the isolate. Plain data, so that all requests may share it. */

import { Auth } from "../config/auth.ts";
import type { Env } from "../config/env.ts";
import { settingsOf, type Settings } from "../config/settings.ts";
import { BoundedCache } from "../lib/bounded-cache.ts";
import { connections } from "../lib/connections.ts";
import { birthplaceOf, type Place } from "./birthplace.ts";
import { Directory, type DirectoryCache, type KeepAlive } from "./directory.ts";

export interface Isolate {
  readonly settings: Settings;
  readonly auth: Auth;
  /** The locations of buckets. */
  readonly cache: DirectoryCache;
}

let isolate: Isolate | undefined;

/** The isolate's state, made by the first request. @throws {KvError} `settings_invalid` */
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

/**
 * The directory of one request, with the isolate's cache.
 * @param place reads where the request came from: `request.cf`
 * @throws {KvError} `settings_invalid`
 */
export function directoryOf(env: Env, keepAlive: KeepAlive, place?: () => Place | undefined): Directory {
  const { settings, cache } = isolateOf(env);
  const near = settings.placeNear === "caller" && place !== undefined ? place : undefined;
  return new Directory(env, settings, cache, keepAlive, near && (() => birthplaceOf(near())));
}
