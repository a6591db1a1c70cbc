/** A bucket's report to its registry partition. */

import type { Env } from "../config/env.ts";
import type { Incarnation } from "../model/incarnation.ts";
import type { Totals } from "../model/totals.ts";
import { call } from "../otp/call.ts";
import type { Monitor } from "../otp/monitor.ts";

/**
 * Tells the partition that monitors the bucket its totals. If both the start and the stop of an object were lost on the
 * way, the registry has no row for it, and no sweep will find it: the object has to ask.
 * @returns whether the registry knows the bucket. An error is no answer: only a definite no is a reason to end
 */
export async function report(
  { REGISTRY }: Pick<Env, "REGISTRY">,
  { watcher }: Monitor,
  { name, incarnation }: Incarnation,
  totals: Totals,
): Promise<boolean> {
  const registry = REGISTRY.get(REGISTRY.idFromString(watcher.id));
  return call(() => registry.report({ name, incarnation }, totals));
}
