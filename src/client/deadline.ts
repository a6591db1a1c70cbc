/** Deadlines of calls, and waits before retries. */

import { TimeoutError } from "./errors.ts";

/** Longest timer of JavaScript, in milliseconds; a longer one would fire at once. */
export const LONGEST_TIMER_MS = 2_147_483_647;
/** Longest wait before a retry, in milliseconds. */
const LONGEST_WAIT_MS = 5_000;

/**
 * Runs `work` with a signal that is aborted after `timeoutMs`, or together with the caller's signal.
 * @throws {TimeoutError} `timeout` after `timeoutMs`; the signal's reason if the caller aborts
 */
export async function within<T>(
  options: { readonly signal?: AbortSignal | undefined; readonly timeoutMs: number },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, timeoutMs } = options;
  signal?.throwIfAborted();
  const own = new AbortController();
  const release = relay(signal, own);
  const timer = setTimeout(() => own.abort(timedOut(timeoutMs)), Math.min(timeoutMs, LONGEST_TIMER_MS));
  const over = new Promise<never>((_, reject) => {
    own.signal.addEventListener("abort", () => reject(own.signal.reason as Error), { once: true });
  });
  try {
    // A race, because a custom `fetch` may ignore the signal.
    return await Promise.race([work(own.signal), over]);
  } catch (error) {
    if (own.signal.aborted) throw own.signal.reason;
    throw error;
  } finally {
    clearTimeout(timer);
    release();
  }
}

/** Made only when it is needed: an error with its stack is dear, and most calls are answered in time. */
export function timedOut(timeoutMs: number): TimeoutError {
  return new TimeoutError(
    "timeout",
    `No answer within ${timeoutMs} ms. The outcome is unknown: read before you try again.`,
  );
}

/** One listener per signal, however many calls share it: many listeners make Node warn about a leak. */
const relays = new WeakMap<AbortSignal, Set<AbortController>>();

/**
 * Aborts `own` when `signal` is aborted, with the same reason.
 * @returns a function that stops this, so that a long-lived signal does not keep finished calls in memory
 */
export function relay(signal: AbortSignal | undefined, own: AbortController): () => void {
  if (signal === undefined) return () => undefined;
  const all = relays.get(signal) ?? relayed(signal);
  all.add(own);
  return () => all.delete(own);
}

function relayed(signal: AbortSignal): Set<AbortController> {
  const all = new Set<AbortController>();
  relays.set(signal, all);
  signal.addEventListener(
    "abort",
    () => {
      for (const one of all) one.abort(signal.reason);
    },
    { once: true },
  );
  return all;
}

/** Wait before a retry, in milliseconds: random, up to a bound that doubles with each attempt. */
export function backoff(attempt: number, baseMs: number): number {
  return Math.random() * Math.min(LONGEST_WAIT_MS, baseMs * 2 ** attempt);
}

/** @returns a function that says how much of a call's time is left, in whole milliseconds; undefined if it has the default */
export function timeLeft(timeoutMs: number | undefined): () => number | undefined {
  const begun = performance.now();
  return () =>
    timeoutMs === undefined ? undefined : Math.max(1, Math.ceil(timeoutMs - (performance.now() - begun)));
}

/** Waits for `ms` milliseconds. @throws the signal's reason as soon as it is aborted */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(
      () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      },
      Math.min(ms, LONGEST_TIMER_MS),
    );
    signal?.addEventListener("abort", abort, { once: true });
  });
}
