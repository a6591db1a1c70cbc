/** The number of partitions: settled once, by partition 0, and the same for everybody from then on. */

import { KvError } from "../model/errors.ts";
import type { Partition } from "../rpc/partition.ts";

/** What partition 0 is asked. */
export interface FirstPartition {
  /** How many partitions the registry was first used with; null before that. */
  settled(): Promise<number | null>;
  /** Settles the number, if it is open. @returns what it is. */
  settle(partitions: number): Promise<number>;
}

/** One partition's knowledge of the number, before it has kept one itself. */
export class Settlement {
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
    const settled = await this.#first.settled();
    if (settled === null) return;
    agree(caller, settled);
    this.#confirmed = settled;
  }

  /**
   * Before a partition keeps its first name: partition 0 settles the number for all.
   * @throws {KvError} `partitions_mismatch`
   */
  async settle(caller: Partition): Promise<void> {
    if (caller.partition !== 0) agree(caller, await this.#first.settle(caller.partitions));
  }
}

/** @throws {KvError} `partitions_mismatch` */
export function agree(caller: Partition, settled: number): void {
  if (caller.partitions === settled) return;
  throw new KvError(
    "partitions_mismatch",
    `The registry was first used with ${settled} partitions and KV_PARTITIONS is ${caller.partitions}. ` +
      `Set it back to ${settled}: under another number names would be looked for in the wrong place.`,
  );
}
