/**
 * The partition count: partition 0 fixes it with the first create, and every caller must agree with it from then on. With a
 * wrong count the registry looks for names in the wrong partitions, and would seem empty.
 */

import { KvError } from "../model/errors.ts";
import { failpoint } from "../otp/failpoint.ts";
import type { Partition } from "../rpc/partition.ts";

/** Calls to partition 0. */
export interface FirstPartition {
  /** The fixed count; null before the first create. */
  fixed(): Promise<number | null>;
  /** Fixes the count if it is not fixed yet. @returns the fixed count */
  fix(partitions: number): Promise<number>;
}

/** The partition that is asked. */
export interface OwnPartition {
  readonly ctx: DurableObjectState;
  /** What it has stored; undefined if it was never used. */
  readonly stored: () => Partition | undefined;
  /** Makes its tables, and stores this. */
  readonly start: (partition: Partition) => void;
}

/** Checks the count that a caller has. */
export class PartitionCount {
  readonly #own: OwnPartition;
  readonly #first: FirstPartition;
  /** The count that partition 0 has confirmed. */
  #confirmed: number | undefined;

  constructor(own: OwnPartition, first: FirstPartition) {
    this.#own = own;
    this.#first = first;
  }

  /**
   * Call it before a read. It stores nothing.
   * @returns whether this partition was ever used
   * @throws {KvError} `partitions_mismatch`
   */
  async toRead(caller: Partition): Promise<boolean> {
    if (this.#own.stored() === undefined) await this.#confirm(caller);
    // Again: a create may have run during the call to partition 0.
    const stored = this.#own.stored();
    if (stored !== undefined) agree(caller, stored.partitions);
    return stored !== undefined;
  }

  /**
   * Call it before a change: starts a partition that was never used. The count is fixed first, so that no partition ever
   * stores another one.
   * @throws {KvError} `partitions_mismatch`
   */
  async toChange(caller: Partition): Promise<void> {
    if (this.#own.stored() === undefined) {
      if (caller.partition !== 0) agree(caller, await this.#first.fix(caller.partitions));
      if (globalThis.KV_FAILPOINTS)
        await failpoint(this.#own.ctx, "create: partitions settled, partition not started");
      if (this.#own.stored() === undefined) this.#own.start(caller);
    }
    agree(caller, (this.#own.stored() as Partition).partitions);
  }

  async #confirm(caller: Partition): Promise<void> {
    if (caller.partition === 0 || this.#confirmed === caller.partitions) return;
    const fixed = await this.#first.fixed();
    if (fixed === null) return;
    agree(caller, fixed);
    this.#confirmed = fixed;
  }
}

function agree(caller: Partition, fixed: number): void {
  if (caller.partitions === fixed) return;
  throw new KvError(
    "partitions_mismatch",
    `The registry was first used with ${fixed} partitions and KV_PARTITIONS is ${caller.partitions}. ` +
      `Set it back to ${fixed}: with another number the registry looks for names in the wrong partition.`,
  );
}
