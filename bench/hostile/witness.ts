/** Runs the neighbour and the memory sampling in a separate process, which the attacker's load does not delay. */

import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Memory } from "./memory.ts";
import type { Service } from "./neighbour.ts";
import type { HostileServer } from "./server.ts";

export type Watched = Pick<HostileServer, "http" | "token" | "processes">;
export type Phase = "attack" | "finish";

export interface Observed {
  /** The neighbour's results before the attack. */
  readonly alone: Service;
  /** The neighbour's results from the beginning of the attack. */
  readonly during: Service;
  readonly memory: Memory;
  /** Milliseconds from the beginning of the attack to the end of the measurement. */
  readonly ms: number;
}

export interface Witness {
  /** Marks the beginning of the attack. */
  attack(): void;
  /** Ends the measurement after the neighbour's current put. */
  finish(): Promise<Observed>;
}

/** Starts the neighbour and the sampling. */
export function startWitness({ http, token, processes }: Watched): Witness {
  const watched: Watched = { http, token, processes };
  const child = fork(join(import.meta.dirname, "witness-process.ts"), [JSON.stringify(watched)], {
    // Keeps NaN, which JSON can't express.
    serialization: "advanced",
  });
  return {
    attack: () => void child.send("attack" satisfies Phase),
    async finish() {
      const observed = once(child, "message");
      child.send("finish" satisfies Phase);
      const [message] = (await observed) as [Observed];
      child.disconnect();
      return message;
    },
  };
}
