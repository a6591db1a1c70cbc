/** What makes a partition look at its buckets: time that passes, and callers who doubt. */

import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { call } from "../../src/otp/call.ts";
import { partitionOf } from "../../src/rpc/partition.ts";
import { partitionStub } from "../../src/rpc/partition-stub.ts";
import { PARTITIONS } from "./directories.ts";
import { registryOf, rowOf } from "./faults.ts";
import { clock } from "./objects.ts";

export const HOUR_MS = 3_600_000;

/** Puts the clock forward, and runs the alarm of the name's partition. */
export async function later(name: string, ms: number): Promise<void> {
  clock.aheadMs += ms;
  await runDurableObjectAlarm(registryOf(name));
}

/** Sweeps all partitions once, as the tests have them do every hour. */
export async function sweep(): Promise<void> {
  clock.aheadMs += HOUR_MS + 1_000;
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    await runDurableObjectAlarm(partitionStub(env.REGISTRY, partition)).catch(() => undefined);
  }
}

/** Tells the registry of a suspicion, as a caller does. */
export async function doubt(name: string): Promise<void> {
  const caller = { partition: partitionOf(name, PARTITIONS), partitions: PARTITIONS };
  const incarnation = (await rowOf(name))?.incarnation ?? "";
  await call(() => registryOf(name).suspect(caller, name, incarnation));
}

/** Names that share a partition; the first is `prefix-0`. */
export function namesOfOnePartition(prefix: string, count: number): string[] {
  const partition = partitionOf(`${prefix}-0`, PARTITIONS);
  return Array.from({ length: count * PARTITIONS * 3 }, (_, at) => `${prefix}-${at}`)
    .filter((name) => partitionOf(name, PARTITIONS) === partition)
    .slice(0, count);
}
