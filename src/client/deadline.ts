/** When to give up, and how long to wait before trying again. */

import { TimeoutError } from "./errors.ts";

/** A timer's longest time, in milliseconds: with a longer one it would fire at once. */
export const LONGEST_TIMER_MS = 2_147_483_647;
/** The longest wait before a try, in milliseconds. */
const LONGEST_WAIT_MS = 5_000;

/**
 * Runs something with a signal that fires after a while, or with the caller's own.
 * @throws {TimeoutError} in the first case; the caller's reason in the second
 */
export async function within<T>(
  options: { readonly signal?: AbortSignal | undefined; readonly timeoutMs: number },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, timeoutMs } = options;
  signal?.throwIfAborted();
  const own = new AbortController();
  const release = relay(signal, own);
  const timedOut = new TimeoutError(
    "timeout",
    `No answer within ${timeoutMs} ms. The outcome is unknown: read before you try again.`,
  );
  const timer = setTimeout(() => own.abort(timedOut), Math.min(timeoutMs, LONGEST_TIMER_MS));
  const over = new Promise<never>((_, reject) => {
    own.signal.addEventListener("abort", () => reject(own.signal.reason as Error), { once: true });
  });
  try {
    // What does not heed the signal, such as a `fetch` of the caller's own, is not waited for either.
    return await Promise.race([work(own.signal), over]);
  } catch (error) {
    if (own.signal.aborted) throw own.signal.reason;
    throw error;
  } finally {
    clearTimeout(timer);
    release();
  }
}

/** Whom a signal is passed on to: many calls may have the same one, and a signal has one listener for all of them. */
const relays = new WeakMap<AbortSignal, Set<AbortController>>();

/**
 * Has `own` fire when a signal does, with its reason. @returns what ends that: a signal may live for longer, and no call is
 * to be left hanging on it
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

/** The wait before a try: somewhere between nothing and twice as long each time, so that many don't come together. */
export function backoff(attempt: number, baseMs: number): number {
  return Math.random() * Math.min(LONGEST_WAIT_MS, baseMs * 2 ** attempt);
}

/** Waits, unless the signal fires first. */
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
