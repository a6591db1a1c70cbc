/** The partition count: partition 0 fixes it with the first create, and every caller must agree with it from then on. */

import { KvError } from "../model/errors.ts";
import type { Partition } from "../rpc/partition.ts";

/** Calls to partition 0. */
export interface FirstPartition {
  /** The fixed count; null before the first create. */
  fixed(): Promise<number | null>;
  /** Fixes the count if it is not fixed yet. @returns the fixed count */
  fix(partitions: number): Promise<number>;
}

/** Checks the count in a partition that has not stored it yet. */
export class PartitionCount {
  readonly #first: FirstPartition;
  /** The count that partition 0 has confirmed. */
  #confirmed: number | undefined;

  constructor(first: FirstPartition) {
    this.#first = first;
  }

  /**
   * Call it before a read in a partition that was never used. With a wrong count the registry would seem empty.
   * @throws {KvError} `partitions_mismatch`
   */
  async confirm(caller: Partition): Promise<void> {
    if (caller.partition === 0 || this.#confirmed === caller.partitions) return;
    const fixed = await this.#first.fixed();
    if (fixed === null) return;
    agree(caller, fixed);
    this.#confirmed = fixed;
  }

  /**
   * Call it before a partition stores its first name: partition 0 fixes the count for all partitions.
   * @throws {KvError} `partitions_mismatch`
   */
  async fix(caller: Partition): Promise<void> {
    if (caller.partition !== 0) agree(caller, await this.#first.fix(caller.partitions));
  }
}

/** Checks a caller's count against the fixed one. @throws {KvError} `partitions_mismatch` */
export function agree(caller: Partition, fixed: number): void {
  if (caller.partitions === fixed) return;
  throw new KvError(
    "partitions_mismatch",
    `The registry was first used with ${fixed} partitions and KV_PARTITIONS is ${caller.partitions}. ` +
      `Set it back to ${fixed}: with another number the registry looks for names in the wrong partition.`,
  );
}
