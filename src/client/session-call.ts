/** A call over a session: how long it has, and what its failure says of its outcome. */

import { ConnectionError, KvError, TimeoutError } from "./errors.ts";
import { broken, notConnected } from "./session-errors.ts";

export interface Call {
  /** Whether a request of this call was ever sent, and so may have been carried out. */
  sent: boolean;
  /** When its time is over (`performance.now()`). */
  readonly until: number;
  readonly timeoutMs: number;
}

/** Whether the request was not carried out, and can be sent again. */
export function isNotDone(error: unknown): boolean {
  return error instanceof KvError && error.code === "answers_too_long";
}

/** A request that was never sent was not carried out, even if it timed out. One that was sent may have been. */
export function outcomeOf(call: Call, error: unknown): unknown {
  if (error instanceof TimeoutError && !call.sent) return notConnected(error);
  if (error instanceof ConnectionError && call.sent && !error.outcomeUnknown) return broken(error);
  return error;
}
