/** When a process that has ended is restarted, and when it is given up on. Pure. */

import { isRecent } from "../lib/recent.ts";

/**
 * OTP's restart kinds. `permanent`: it is always restarted, with its durable state. `temporary`: it never
 * is; what it kept is wiped.
 */
export type RestartKind = "permanent" | "temporary";

/** A supervisor's default intensity is 1 in 5 s; here 3, because one caller's bad luck may repeat itself. */
export const MAX_RESTARTS = 3;
export const RESTART_WINDOW_MS = 5_000;

/** How often a process was restarted. */
export interface RestartCount {
  /** Since its start. */
  readonly restarts: number;
  /** When, within the window, in milliseconds since the epoch. */
  readonly recent: readonly number[];
  /** The reason of the restart that was one too many; the process is left alone until it is probed. */
  readonly givenUp?: string;
}

/** Counts one more restart. More than {@link MAX_RESTARTS} within the window are too many. */
export function restarted(before: RestartCount, now: number, reason: string): RestartCount {
  const recent = [...before.recent.filter((at) => isRecent(at, now, RESTART_WINDOW_MS)), now];
  const restarts = before.restarts + 1;
  return recent.length > MAX_RESTARTS ? { restarts, recent, givenUp: reason } : { restarts, recent };
}

/** Whether a process that was given up on may be tried again: the window has passed. */
export function mayTryAgain({ recent }: RestartCount, now: number): boolean {
  return recent.every((at) => !isRecent(at, now, RESTART_WINDOW_MS));
}
