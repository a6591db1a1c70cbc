/** The interface of an attack. */

import type { Attacker } from "./attacker.ts";
import type { ServerOptions } from "./server.ts";

export interface Attack {
  readonly name: string;
  /** Description in one line. */
  readonly about: string;
  /** How to start the server; by default without a token and in memory. */
  readonly server?: Pick<ServerOptions, "openFiles"> & {
    readonly token?: "set";
    /** `disk` uses a temporary data folder. */
    readonly data?: "disk";
  };
  /** Stores data before the baseline is measured. */
  readonly prepare?: (attacker: Attacker) => Promise<void>;
  /** Attacks until it is done, or the attacker's time is up. @returns the attacker's outcome, in a few words */
  readonly run: (attacker: Attacker) => Promise<string>;
}
