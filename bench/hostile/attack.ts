/** What an attack is, and what counts as withstanding it. */

import type { Attacker } from "./attacker.ts";
import type { ServerOptions } from "./server.ts";

export interface Attack {
  readonly name: string;
  /** One line. */
  readonly about: string;
  /** How the server is started; left out, without a token and in memory. */
  readonly server?: Pick<ServerOptions, "openFiles"> & {
    readonly token?: "set";
    /** `disk` uses a temporary data folder. */
    readonly data?: "disk";
  };
  /** What must be stored before the baseline is measured. */
  readonly prepare?: (attacker: Attacker) => Promise<void>;
  /** Attacks until it is done, or until the attacker's time is up. @returns what the attacker was told */
  readonly run: (attacker: Attacker) => Promise<string>;
}

/** The longest that one attack may take, in milliseconds. */
export const ATTACK_MS = 10_000;

/** The neighbour's p99, in milliseconds, and the engine's peak memory, in megabytes, have to stay below these. */
export const BOUNDS = { p99: 250, memory: 500 } as const;

/** Megabytes of the engine's memory at which the harness kills the server. */
export const KILL_AT_MEGABYTES = 4_096;
