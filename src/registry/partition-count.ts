/** The partition count: fixed by partition 0 with the first create, and the same for every caller from then on. */

import { KvError } from "../model/errors.ts";
import type { Partition } from "../rpc/partition.ts";

/** What partition 0 is asked. */
export interface FirstPartition {
  /** How many partitions the registry was first used with; null before that. */
  fixed(): Promise<number | null>;
  /** Fixes the count, if it is open. @returns what it is. */
  fix(partitions: number): Promise<number>;
}

/** One partition's knowledge of the number, before it has kept one itself. */
export class PartitionCount {
  readonly #first: FirstPartition;
  /** Partition 0 has confirmed this number to us. */
  #confirmed: number | undefined;

  constructor(first: FirstPartition) {
    this.#first = first;
  }

  /**
   * Before a read in a partition that was never used: it must not be served as an empty registry.
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
   * Before a partition keeps its first name: partition 0 fixes it for all.
   * @throws {KvError} `partitions_mismatch`
   */
  async fix(caller: Partition): Promise<void> {
    if (caller.partition !== 0) agree(caller, await this.#first.fix(caller.partitions));
  }
}

/** @throws {KvError} `partitions_mismatch` */
export function agree(caller: Partition, fixed: number): void {
  if (caller.partitions === fixed) return;
  throw new KvError(
    "partitions_mismatch",
    `The registry was first used with ${fixed} partitions and KV_PARTITIONS is ${caller.partitions}. ` +
      `Set it back to ${fixed}: under another number names would be looked for in the wrong place.`,
  );
}
