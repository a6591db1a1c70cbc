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
