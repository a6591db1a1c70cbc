/** The registry partition of a name. Pure. */

/** A partition's number, and the partition count of its caller. */
export interface Partition {
  /** From 0 to `partitions` − 1. */
  readonly partition: number;
  readonly partitions: number;
}

/**
 * The partition of a name: FNV-1a with 32 bits, modulo the partition count. Names are stored in their partition, so the
 * result for a name must never change.
 */
export function partitionOf(name: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0) % partitions;
}
