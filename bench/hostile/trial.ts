/** Runs one attack on a new server: measures the neighbour before and during it, and whether the server survives. */

import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryFolder } from "../servers.ts";
import type { Attack } from "./attack.ts";
import { Attacker } from "./attacker.ts";
import { BOUNDS } from "./limits.ts";
import { ask } from "./http.ts";
import { isEngine } from "./processes.ts";
import { startServer, type HostileServer } from "./server.ts";
import { startWitness, type Observed } from "./witness.ts";

/** Milliseconds for which the neighbour is measured alone before the attack, and after it. */
const BASELINE_MS = 1_000;
const AFTERMATH_MS = 1_000;
const ALIVE_MS = 10_000;
/** Random bytes for a token of 32 hexadecimal characters. */
const TOKEN_BYTES = 16;

/** `no answer`: the engine runs but does not respond. */
type Aliveness = "yes" | "no answer" | "ended" | "killed by the harness";

export interface Outcome extends Observed {
  readonly attack: string;
  readonly attackerOutcome: string;
  readonly alive: Aliveness;
  readonly withinBounds: boolean;
  /** The end of the server's output. */
  readonly output: string;
}

export async function tryAttack(attack: Attack, started: (server: HostileServer) => void): Promise<Outcome> {
  const data = attack.server?.data === "disk" ? await temporaryFolder() : undefined;
  const server = await startServer({
    ...(attack.server?.openFiles === undefined ? {} : { openFiles: attack.server.openFiles }),
    token: attack.server?.token === "set" ? randomBytes(TOKEN_BYTES).toString("hex") : undefined,
    data,
  });
  started(server);
  try {
    await prepare(attack, server);
    const witness = startWitness(server);
    await sleep(BASELINE_MS);
    witness.attack();
    const attacker = new Attacker(server);
    const attackerOutcome = await attackWith(attack, attacker);
    await sleep(AFTERMATH_MS);
    const observed = await witness.finish();
    attacker.end();
    const alive = observed.memory.killed ? "killed by the harness" : await aliveness(server);
    const { during, memory } = observed;
    return {
      attack: attack.name,
      ...observed,
      attackerOutcome,
      alive,
      withinBounds:
        during.p99 < BOUNDS.p99 && during.errors === 0 && memory.engine < BOUNDS.memory && alive === "yes",
      output: server.output(),
    };
  } finally {
    await server.stop();
    if (data !== undefined) await rm(data, { recursive: true, force: true });
  }
}

async function prepare(attack: Attack, server: HostileServer): Promise<void> {
  const preparer = new Attacker(server);
  try {
    await attack.prepare?.(preparer);
  } finally {
    preparer.end();
  }
}

async function attackWith(attack: Attack, attacker: Attacker): Promise<string> {
  try {
    return (await attack.run(attacker)).replaceAll(/\s+/g, " ");
  } catch (error) {
    return attacker.isOver ? "no answer before the attack's time was up" : (error as Error).message;
  }
}

/** Whether the same engine responds to a new client. */
async function aliveness({ http, processes }: HostileServer): Promise<Aliveness> {
  try {
    const { status } = await ask({
      port: http,
      token: undefined,
      method: "GET",
      path: "/healthz",
      signal: AbortSignal.timeout(ALIVE_MS),
    });
    if (status === 200 && isEngine(processes.engine)) return "yes";
  } catch {
    // Reported below.
  }
  return isEngine(processes.engine) ? "no answer" : "ended";
}
