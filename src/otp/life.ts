/** The life of a process, as it is stored, and the manner of its end. */

import type { RestartCount, RestartKind } from "./restart.ts";

/** A process lives while this is in its storage. */
export interface Life<Args> extends RestartCount {
  readonly args: Args;
  readonly restart: RestartKind;
}

/** How a process ends. */
export interface Manner {
  /** Whether `terminate` runs. */
  readonly terminate: boolean;
  /** The ref of a monitor for which the reply is the notice. */
  readonly asker?: string | undefined;
  /** `none`: no watcher gets a notice. */
  readonly notices?: "none";
}

/** Whether two arguments are of one process: all members that both have are equal, in any order. */
export function haveSame(kept: object, given: object): boolean {
  const other = new Map(Object.entries(given));
  return Object.entries(kept).every(
    ([name, value]) => !other.has(name) || JSON.stringify(value) === JSON.stringify(other.get(name)),
  );
}
