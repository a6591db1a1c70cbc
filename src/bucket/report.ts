/** A bucket's report to its registry partition. */

import type { Env } from "../config/env.ts";
import type { Incarnation } from "../model/incarnation.ts";
import { call } from "../otp/call.ts";
import type { Monitor } from "../otp/monitor.ts";
import type { RegistryStub, Report } from "../rpc/registry-rpc.ts";

/**
 * Tells the partition that monitors the bucket its totals and restarts. If the registry ended while it created the bucket, it
 * has no row for it, and no sweep will find it: the object has to ask.
 * @returns whether the registry knows the bucket. An error is no answer: only a definite no is a reason to end
 */
export async function report(
  env: Pick<Env, "REGISTRY">,
  monitor: Monitor,
  { name, incarnation }: Incarnation,
  said: Report,
): Promise<boolean> {
  const registry = partitionOf(env, monitor);
  return call(() => registry.report({ name, incarnation }, said));
}

/**
 * Tells the partition that the object of a bucket that it does not know has wiped itself, and can be cleaned up. Not before:
 * until then it has its data. If this is lost, what is left of it stays for longer.
 */
export async function reportWiped(
  env: Pick<Env, "REGISTRY">,
  monitor: Monitor,
  id: DurableObjectId,
): Promise<void> {
  const registry = partitionOf(env, monitor);
  await call(() => registry.wiped(id.toString())).catch(() => undefined);
}

function partitionOf({ REGISTRY }: Pick<Env, "REGISTRY">, { watcher }: Monitor): RegistryStub {
  return REGISTRY.get(REGISTRY.idFromString(watcher.id));
}

/** How many times a bucket trims its log, and reports, in the time for which it keeps a change. */
const REPORTS = 24;

/** The least time between two reports of a bucket, in milliseconds. @param changeLogAgeMs see `Settings` */
export function reportMs(changeLogAgeMs: number): number {
  return changeLogAgeMs / REPORTS;
}

/** When a bucket reports that has just changed, in milliseconds. Jitter: those that changed together do not report together. */
export function reportAfterMs(changeLogAgeMs: number): number {
  return changeLogAgeMs + Math.random() * reportMs(changeLogAgeMs);
}

/** How often a bucket asks that does not end when the registry does not know it, in milliseconds. */
const HELD_MS = 3_600_000;

/**
 * When a bucket asks whether the registry knows it, in milliseconds. Jitter, from 0.5 to 1.5 periods: those that were created
 * together do not ask together.
 */
export function askAfterMs(orphanPeriodMs: number): number {
  return (orphanPeriodMs === 0 ? HELD_MS : orphanPeriodMs) * (0.5 + Math.random());
}

/** The later one, so that changes are trimmed together and not one by one as they grow old; undefined if none is due. */
export function notBefore(earliest: number, due: number | undefined): number | undefined {
  return due === undefined ? undefined : Math.max(due, earliest);
}
