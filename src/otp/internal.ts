/** The timers of a process's own, beside those of its class. */

/** Sends notices again that no watcher has acknowledged. */
export const NOTICES = "otp:notices";
/** Milliseconds after which the alarm sends notices again, if the call that posted them has not delivered them. */
export const NOTICES_AFTER_MS = 2_000;

/** Removes the mark of the end. */
export const FORGET = "otp:forget";
/** Milliseconds for which an object remembers an end: a start sent twice may arrive after it, and must not revive it. */
export const FORGET_AFTER_MS = 60_000;

/** The message of such a timer. */
export type Internal = { readonly otp: typeof NOTICES | typeof FORGET };

export function isInternal(message: unknown): message is Internal {
  return typeof message === "object" && message !== null && "otp" in message;
}
