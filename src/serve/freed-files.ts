/** Files of buckets that have ended, removed while the engine runs. */

import { existsSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { join } from "node:path";
import { inspect, removeFile } from "./object-files.ts";

/** Between two looks, in milliseconds. */
const LOOK_EVERY_MS = 15_000;
/** How long a file stays when no name leads to its object any more, in milliseconds: until then the engine closes it. */
const WAIT_MS = 180_000;
/** Files that wait; more are left to the next start. */
const MAX_WAITING = 100_000;
/** Files that are looked at in one turn: signals, and the engine's output, are not kept waiting for all of them. */
const AT_ONCE = 200;
const ID = /^[0-9a-f]{64}$/;

export interface FreedFilesOptions {
  /** The folder of the buckets' files. */
  readonly folder: string;
  /** Ids of objects that no name leads to any more, since this was asked last. */
  readonly freed: () => Promise<readonly string[]>;
  /** Milliseconds that never go back. */
  readonly clock: () => number;
}

/**
 * What a bucket leaves behind when it ends is a file of one page, and a server that runs for months, or in memory, may not
 * keep them all until it starts again.
 *
 * Nothing can be lost, even if the engine has such a file open at that moment. Its object is nobody's: the registry forgets a
 * name's object for good, ids are never used twice, and what can't be reached by a name was never acknowledged to anybody.
 * Where something is stored all the same, a notice of the end for example, the file stays until that is gone.
 */
export class FreedFiles {
  readonly #options: FreedFilesOptions;
  /** When each was freed; in that order. */
  readonly #waiting = new Map<string, number>();

  constructor(options: FreedFilesOptions) {
    this.#options = options;
  }

  /** Looks now and then. @returns a function that stops it */
  watch(): () => void {
    // A disk that can't be read is no reason to end: it is looked at again.
    let looking = false;
    const look = async (): Promise<void> => {
      if (looking) return;
      looking = true;
      await this.look().catch(() => undefined);
      looking = false;
    };
    const timer = setInterval(() => void look(), LOOK_EVERY_MS);
    timer.unref();
    return () => clearInterval(timer);
  }

  /** Removes those whose time has come. @returns how many */
  async look(): Promise<number> {
    const { folder, freed, clock } = this.#options;
    for (const id of await freed()) {
      if (ID.test(id) && this.#waiting.size < MAX_WAITING) this.#waiting.set(id, clock());
    }
    let removed = 0;
    let looked = 0;
    // All that are due, and each once: one that stays is due again later.
    for (const [id, since] of this.#waiting) {
      if (clock() - since < WAIT_MS) break;
      if (++looked % AT_ONCE === 0) await turn();
      this.#waiting.delete(id);
      const path = join(folder, `${id}.sqlite`);
      if (!existsSync(path)) continue;
      if (inspect(path)?.isEmpty === true) {
        removeFile(path);
        removed += 1;
      } else this.#waiting.set(id, clock());
    }
    return removed;
  }
}
