/** What lasts as long as the isolate. Plain data, so requests may share it. */

import { BoundedCache } from "../lib/bounded-cache.ts";
import { connections } from "../lib/connections.ts";
import { Door } from "../config/auth.ts";
import type { Env } from "../config/env.ts";
import type { DirectoryCache } from "./directory.ts";
import { settingsOf, type Settings } from "../config/settings.ts";

export interface Isolate {
  readonly settings: Settings;
  readonly door: Door;
  /** What was learnt of where buckets are. */
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
      door: new Door(settings),
      cache: new BoundedCache({ limit: settings.directoryNames }),
    };
  }
  return isolate;
}
