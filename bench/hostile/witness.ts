/** Watches the neighbour and the memory in a process of its own, so that the attacker's work delays neither. */

import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Memory } from "./memory.ts";
import type { Service } from "./neighbour.ts";
import type { HostileServer } from "./server.ts";

export type Watched = Pick<HostileServer, "http" | "token" | "processes">;
export type Phase = "attack" | "finish";

export interface Observed {
  /** How the neighbour was served before the attack. */
  readonly alone: Service;
  /** And from its beginning on. */
  readonly during: Service;
  readonly memory: Memory;
  /** How long the attack was watched, in milliseconds. */
  readonly ms: number;
}

export interface Witness {
  /** The attack begins now. */
  attack(): void;
  /** Ends the watch when the neighbour's put that is under way is answered, or given up. */
  finish(): Promise<Observed>;
}

/** Starts the neighbour and the sampling. */
export function startWitness({ http, token, processes }: Watched): Witness {
  const watched: Watched = { http, token, processes };
  const child = fork(join(import.meta.dirname, "witness-process.ts"), [JSON.stringify(watched)], {
    // Keeps what is no number, which JSON has no word for.
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
