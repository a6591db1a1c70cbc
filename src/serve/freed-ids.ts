/** Ids of objects that the registry has freed, until what is left of them may be removed. */

/** Milliseconds between two checks. */
const CHECK_EVERY_MS = 15_000;
/** Milliseconds from the loss of an object's name to the removal. The engine closes the object before. */
export const WAIT_MS = 180_000;
/** Most ids in the queue; further ones are not taken. */
const MAX_QUEUED = 100_000;
const ID = /^[0-9a-f]{64}$/;

export interface FreedIdsOptions {
  /** Returns the ids of objects that have lost their name since the last call. */
  readonly freed: () => Promise<readonly string[]>;
  /** A monotonic clock, in milliseconds. */
  readonly clock: () => number;
}

export class FreedIds {
  readonly #options: FreedIdsOptions;
  /** Ids with the time at which they were freed, oldest first. */
  readonly #queue = new Map<string, number>();

  constructor(options: FreedIdsOptions) {
    this.#options = options;
  }

  /** The ids that are due, oldest first. Each is due until it is {@link done}, or has to wait {@link again}. */
  async *due(): AsyncGenerator<string, void, void> {
    const { freed, clock } = this.#options;
    for (const id of await freed()) {
      if (ID.test(id) && this.#queue.size < MAX_QUEUED) this.#queue.set(id, clock());
    }
    for (const [id, since] of this.#queue) {
      if (clock() - since < WAIT_MS) return;
      yield id;
    }
  }

  done(id: string): void {
    this.#queue.delete(id);
  }

  /** Puts an id at the end of the queue, with the current time, so that a check ends. */
  again(id: string): void {
    this.#queue.delete(id);
    this.#queue.set(id, this.#options.clock());
  }
}

/** Checks periodically. An error ends one check; the next one tries again. @returns a function that stops it */
export function checkPeriodically(check: () => Promise<unknown>): () => void {
  let isChecking = false;
  const once = async (): Promise<void> => {
    if (isChecking) return;
    isChecking = true;
    await check().catch(() => undefined);
    isChecking = false;
  };
  const timer = setInterval(() => void once(), CHECK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
