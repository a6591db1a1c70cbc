/** Waits while the store is away: an engine that starts without it would end at once. */

import { setTimeout as sleep } from "node:timers/promises";
import { LEASES } from "./layout.ts";
import type { Store } from "./store.ts";

/** Milliseconds between two attempts. */
const ATTEMPT_EVERY_MS = 1_000;

export interface WaitOptions {
  readonly log: (line: string) => void;
  /** Ends the wait. */
  readonly over: AbortSignal;
}

/** Resolves when the store answers. @throws the signal's reason when it is aborted */
export async function waitForStore(store: Store, { log, over }: WaitOptions): Promise<void> {
  for (let told = false; ;) {
    over.throwIfAborted();
    const error = await answers(store);
    if (error === undefined) {
      if (told) log("The store is back.");
      return;
    }
    if (!told) log(`Waiting for the store. ${error.message}`);
    told = true;
    await sleep(ATTEMPT_EVERY_MS, undefined, { signal: over });
  }
}

/** Asks the store for one page of leases. @returns the error if it does not answer */
export async function answers(store: Store): Promise<Error | undefined> {
  try {
    await store.list(LEASES).next();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
