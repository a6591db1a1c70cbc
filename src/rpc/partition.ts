/** Which registry partition a name belongs to. */

/** A partition as its caller sees it. */
export interface Partition {
  /** From 0 to `partitions` − 1. */
  readonly partition: number;
  readonly partitions: number;
}

/**
 * The partition of a name: FNV-1a, 32 bits, modulo the number of partitions. The result is part of what is
 * stored: it must never change for a name.
 */
export function partitionOf(name: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0) % partitions;
}
