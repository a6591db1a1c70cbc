/** Removes the files of stopped buckets while the engine runs. */

import { existsSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { join } from "node:path";
import { checkPeriodically, FreedIds, type FreedIdsOptions } from "./freed-ids.ts";
import { inspect, removeFile } from "./object-files.ts";

/** Files per turn of the event loop, so that signals and the engine's output are not delayed. */
const FILES_PER_TURN = 200;

export interface FreedFilesOptions extends FreedIdsOptions {
  /** The folder with the buckets' files. */
  readonly folder: string;
}

/**
 * A stopped bucket leaves a file of one page behind. A server that runs for months, or in memory, can't keep all of
 * them until its next start.
 *
 * No data can be lost, even if the engine has the file open: the registry never gives a freed object a name again, ids
 * are never reused, and no write to an object without a name is ever acknowledged. If the file still holds data, such
 * as an undelivered DOWN notice, it stays until that is gone. Files that found no place in the queue are removed at the next
 * start.
 */
export class FreedFiles {
  readonly #folder: string;
  readonly #ids: FreedIds;

  constructor({ folder, ...options }: FreedFilesOptions) {
    this.#folder = folder;
    this.#ids = new FreedIds(options);
  }

  /** Checks periodically. @returns a function that stops it */
  watch(): () => void {
    return checkPeriodically(() => this.check());
  }

  /** Removes the files that are due. @returns how many were removed */
  async check(): Promise<number> {
    let removed = 0;
    let checked = 0;
    for await (const id of this.#ids.due()) {
      if (++checked % FILES_PER_TURN === 0) await turn();
      // Before the file is looked at: one that can't be read is not tried again.
      this.#ids.done(id);
      const path = join(this.#folder, `${id}.sqlite`);
      if (!existsSync(path)) continue;
      if (inspect(path)?.isEmpty === true) {
        removeFile(path);
        removed += 1;
      } else this.#ids.again(id);
    }
    return removed;
  }
}
