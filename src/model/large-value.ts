/** Values that are kept and sent in chunks of {@link CHUNK_BYTES}. */

import type { Value } from "./value.ts";

/** A value in chunks. */
export interface LargeValue {
  /** Its id, which the uploader makes up. */
  readonly large: string;
  /** Bytes of the value. */
  readonly size: number;
}

/** Whether a value is in chunks, and not whole. */
export function isLarge(value: Value | LargeValue): value is LargeValue {
  return typeof value === "object" && "large" in value;
}

/** How long chunks without an entry are kept after they were last sent, read or renewed, in milliseconds. */
export const KEEP_MS = 120_000;

/** A reader's claim on a large value: while it is renewed, a replaced value keeps its chunks. */
export interface Lease {
  /** The reader makes it up, for one reading. */
  readonly lease: string;
  /** Whether this chunk is the last one that will be read. */
  readonly last: boolean;
}
