/** Attack: many idempotent requests with large results, which the server has to store. */

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Attack } from "../attack.ts";
import type { Attacker } from "../attacker.ts";
import { BUCKET, store, tally } from "./stored.ts";

const TRANSACTIONS = 600;
const CLIENTS = 4;
const VALUE_BYTES = 480_000;
/** 37 bytes. */
const BODY = '{"then":[{"op":"get","key":"value"}]}';

export const idempotent: readonly Attack[] = [
  {
    name: "idempotent",
    about: `${TRANSACTIONS} transactions of ${BODY.length} bytes with an Idempotency-Key, whose result is a value of 480 kB.`,
    server: { data: "disk" },
    prepare: (attacker) => store(attacker, "value", "x".repeat(VALUE_BYTES)),
    run: transact,
  },
];

async function transact(attacker: Attacker): Promise<string> {
  const before = diskUsed(attacker);
  const began = performance.now();
  const statuses: string[] = [];
  const client = async (): Promise<void> => {
    while (statuses.length < TRANSACTIONS && !attacker.isOver) {
      const at = statuses.push("not answered") - 1;
      const headers = { "Content-Type": "application/json", "Idempotency-Key": `key-${at}` };
      const { status } = await attacker.ask("POST", `${BUCKET}/transaction`, { body: BODY, headers });
      statuses[at] = `answered ${status}`;
    }
  };
  await Promise.allSettled(Array.from({ length: CLIENTS }, client));
  const seconds = (performance.now() - began) / 1_000;
  const disk = `disk ${before.toFixed(1)} MB before, ${diskUsed(attacker).toFixed(1)} MB after`;
  return `${tally(statuses)} in ${seconds.toFixed(1)} s; ${disk}`;
}

/** Size of the data folder in megabytes. */
function diskUsed({ server: { data = "" } }: Attacker): number {
  const files = readdirSync(data, { recursive: true, encoding: "utf8" });
  return files.reduce((sum, file) => sum + statSync(join(data, file)).size, 0) / 1e6;
}
