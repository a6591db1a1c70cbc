/** Removes the files of stopped buckets while the engine runs. */

import { existsSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { join } from "node:path";
import { inspect, removeFile } from "./object-files.ts";

/** Milliseconds between two checks. */
const CHECK_EVERY_MS = 15_000;
/** Milliseconds from the loss of an object's name to the removal of its file. The engine closes the file before. */
const WAIT_MS = 180_000;
/** Most files in the queue; further ones are removed at the next start. */
const MAX_QUEUED = 100_000;
/** Files per turn of the event loop, so that signals and the engine's output are not delayed. */
const FILES_PER_TURN = 200;
const ID = /^[0-9a-f]{64}$/;

export interface FreedFilesOptions {
  /** The folder with the buckets' files. */
  readonly folder: string;
  /** Returns the ids of objects that have lost their name since the last call. */
  readonly freed: () => Promise<readonly string[]>;
  /** A monotonic clock, in milliseconds. */
  readonly clock: () => number;
}

/**
 * A stopped bucket leaves a file of one page behind. A server that runs for months, or in memory, can't keep all of
 * them until its next start.
 *
 * No data can be lost, even if the engine has the file open: the registry never gives a freed object a name again, ids
 * are never reused, and no write to an object without a name is ever acknowledged. If the file still holds data, such
 * as an undelivered DOWN notice, it stays until that is gone.
 */
export class FreedFiles {
  readonly #options: FreedFilesOptions;
  /** Ids with the time at which they were freed, oldest first. */
  readonly #queue = new Map<string, number>();

  constructor(options: FreedFilesOptions) {
    this.#options = options;
  }

  /** Checks periodically. @returns a function that stops it */
  watch(): () => void {
    // A read error must not end the server: the next check tries again.
    let isChecking = false;
    const check = async (): Promise<void> => {
      if (isChecking) return;
      isChecking = true;
      await this.check().catch(() => undefined);
      isChecking = false;
    };
    const timer = setInterval(() => void check(), CHECK_EVERY_MS);
    timer.unref();
    return () => clearInterval(timer);
  }

  /** Removes the files that are due. @returns how many were removed */
  async check(): Promise<number> {
    const { folder, freed, clock } = this.#options;
    for (const id of await freed()) {
      if (ID.test(id) && this.#queue.size < MAX_QUEUED) this.#queue.set(id, clock());
    }
    let removed = 0;
    let checked = 0;
    // A file that still holds data goes back to the end of the queue with the current time, so the loop ends.
    for (const [id, since] of this.#queue) {
      if (clock() - since < WAIT_MS) break;
      if (++checked % FILES_PER_TURN === 0) await turn();
      this.#queue.delete(id);
      const path = join(folder, `${id}.sqlite`);
      if (!existsSync(path)) continue;
      if (inspect(path)?.isEmpty === true) {
        removeFile(path);
        removed += 1;
      } else this.#queue.set(id, clock());
    }
    return removed;
  }
}
