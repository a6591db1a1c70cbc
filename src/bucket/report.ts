/** A bucket's report to its registry partition. */

import type { Env } from "../config/env.ts";
import type { Incarnation } from "../model/incarnation.ts";
import { call } from "../otp/call.ts";
import type { Monitor } from "../otp/monitor.ts";
import type { Report } from "../rpc/registry-rpc.ts";

/**
 * Tells the partition that monitors the bucket its totals and restarts. If both the start and the stop of an object were lost on the
 * way, the registry has no row for it, and no sweep will find it: the object has to ask.
 * @returns whether the registry knows the bucket. An error is no answer: only a definite no is a reason to end
 */
export async function report(
  { REGISTRY }: Pick<Env, "REGISTRY">,
  { watcher }: Monitor,
  { name, incarnation }: Incarnation,
  said: Report,
): Promise<boolean> {
  const registry = REGISTRY.get(REGISTRY.idFromString(watcher.id));
  return call(() => registry.report({ name, incarnation }, said));
}

/** How many times a bucket trims its log, and reports, in the time for which it keeps a change. */
const REPORTS = 24;

/** The least time between two reports of a bucket, in milliseconds. @param changeLogAgeMs see `Settings` */
export function reportMs(changeLogAgeMs: number): number {
  return changeLogAgeMs / REPORTS;
}

/** The later one, so that changes are trimmed together and not one by one as they grow old; undefined if none is due. */
export function notBefore(earliest: number, due: number | undefined): number | undefined {
  return due === undefined ? undefined : Math.max(due, earliest);
}
