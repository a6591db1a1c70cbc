/** What a request is served with. */

import type { Admission } from "../text/interpreter.ts";
import type { Door } from "../config/auth.ts";
import type { Directory } from "../directory/directory.ts";
import type { Settings } from "../config/settings.ts";
import type { Target } from "./target.ts";

export interface Context {
  readonly target: Target;
  readonly directory: Directory;
  readonly door: Door;
  readonly settings: Settings;
  /** Lets what was sent without waiting go on when the request has been answered. */
  readonly keepAlive: (sent: Promise<unknown>) => void;
}

/** The guard has let the request in; an AUTH line is still looked at. */
export function admitted(door: Door): Admission {
  return { admitted: true, accepts: (token) => door.accepts(token) };
}
