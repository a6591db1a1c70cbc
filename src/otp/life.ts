/** What a process is while it lives, and in what manner it ends. */

import type { RestartCount, RestartKind } from "./restart.ts";

/** What a process keeps of itself; it lives as long as this is there. */
export interface Life<Args> extends RestartCount {
  readonly args: Args;
  readonly restart: RestartKind;
}

/** How a process ends. */
export interface Manner {
  /** Whether `terminate` runs. */
  readonly terminate: boolean;
  /** The ref of a monitor that is told by the reply. */
  readonly asker?: string | undefined;
  /** Nobody wants to know. */
  readonly tell?: "nobody";
}

/** Whether two arguments are those of one process, in whatever order, and by whatever version, they were written. */
export function haveSame(kept: object, given: object): boolean {
  const other = new Map(Object.entries(given));
  return Object.entries(kept).every(
    ([name, value]) => !other.has(name) || JSON.stringify(value) === JSON.stringify(other.get(name)),
  );
}
