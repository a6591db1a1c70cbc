/** What a process keeps of itself: its life while it lives, then its obituary until all watchers have been told. */

import type { Refusal } from "./exit.ts";
import type { Life } from "./life.ts";
import { Versions, type Migrations } from "./migrations.ts";
import { PROCESS_MIGRATIONS } from "./process-migrations.ts";

/** Keys that begin with `otp:` are the process's own; its class may use every other key. */
const PROCESS = "otp:process";
const ENDED = "otp:ended";

/** Formats of what is kept: the process's own, and that of its class. */
const OWN = "otp";
const DATA = "data";

/** Synchronous; every method that writes is to be called inside a transaction with what else changes. */
export class Records<Args> {
  /** The refusal of all calls if the data is newer than the code; nothing may be read or written then. */
  readonly newer: Refusal | undefined;
  readonly #kv: DurableObjectStorage["kv"];
  readonly #versions: Versions;

  /** Brings older data up to date. @param migrations of the class */
  constructor(storage: DurableObjectStorage, migrations: Migrations) {
    this.#kv = storage.kv;
    this.#versions = new Versions(storage, { [OWN]: PROCESS_MIGRATIONS, [DATA]: migrations });
    this.newer = this.#versions.newer();
    if (this.newer !== undefined) return;
    // The process's own data first: it says whether the process lives. One that has ended keeps no data of its class.
    this.#versions.migrate(OWN);
    if (this.life() !== undefined) this.#versions.migrate(DATA);
  }

  /** The process's life; undefined if it does not live. */
  life(): Life<Args> | undefined {
    return this.newer === undefined ? this.#kv.get<Life<Args>>(PROCESS) : undefined;
  }

  /** The reason with which the process ended, or was stopped before its start; undefined if there is none to tell. */
  obituary(): string | undefined {
    return this.newer === undefined ? this.#kv.get<string>(ENDED) : undefined;
  }

  /** A new life, whose data is of today's version. */
  begin(life: Life<Args>): void {
    this.#versions.mark(OWN, DATA);
    this.#kv.put(PROCESS, life);
  }

  /** The same life, changed. */
  keep(life: Life<Args>): void {
    this.#kv.put(PROCESS, life);
  }

  /** Writes the obituary into a storage that is empty. */
  end(reason: string): void {
    this.#versions.mark(OWN);
    this.#kv.put(ENDED, reason);
  }
}
