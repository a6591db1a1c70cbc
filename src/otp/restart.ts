/** When a process that has ended is restarted, and when it is given up on. Pure. */

/**
 * OTP's restart kinds. `permanent`: always restarted, with its durable state. `temporary`: never restarted; its storage
 * is wiped.
 */
export type RestartKind = "permanent" | "temporary";

/** Restarts within the window before a process is given up on. OTP's default is 1; a caller's retries must not be enough. */
export const MAX_RESTARTS = 3;
const RESTART_WINDOW_MS = 5_000;

/** How often a process was restarted. */
export interface RestartCount {
  /** Since its start. */
  readonly restarts: number;
  /** The times of those within the window, in milliseconds since the epoch. */
  readonly recent: readonly number[];
  /** The reason of the restart that was one too many: the process serves nothing until a probe finds that it works. */
  readonly givenUp?: string;
}

/** Counts one more restart; above {@link MAX_RESTARTS} within the window the process is given up on. */
export function restarted(before: RestartCount, now: number, reason: string): RestartCount {
  const recent = [...before.recent.filter((at) => isInWindow(at, now)), now];
  const restarts = before.restarts + 1;
  return recent.length > MAX_RESTARTS ? { restarts, recent, givenUp: reason } : { restarts, recent };
}

/** Whether a process that was given up on may be probed: the window has passed. */
export function mayTryAgain({ recent }: RestartCount, now: number): boolean {
  return recent.every((at) => !isInWindow(at, now));
}

/** A time in the future does not count: it was taken before the clock was put back, and how long ago is unknown. */
function isInWindow(at: number, now: number): boolean {
  return at <= now && now - at < RESTART_WINDOW_MS;
}
