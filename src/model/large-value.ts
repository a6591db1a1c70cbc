/** Large values, which are stored and sent in chunks of {@link CHUNK_BYTES}, and the leases of their readers. */

import type { Value } from "./value.ts";

/** A value that is stored in chunks. */
export interface LargeValue {
  /** The value's id, chosen by the uploader. */
  readonly large: string;
  /** Size of the value in bytes. */
  readonly size: number;
}

/** Whether a value is stored in chunks. */
export function isLarge(value: Value | LargeValue): value is LargeValue {
  return typeof value === "object" && "large" in value;
}

/** How long chunks that no entry owns are kept after their last upload, release or renewal, in milliseconds. */
export const KEEP_MS = 120_000;

/** A reader's lease on a large value: while the reader renews it, a replaced value keeps its chunks. */
export interface Lease {
  /** The lease's id, chosen by the reader; a new one each time the value is read. */
  readonly lease: string;
  /** Whether the reader reads no chunk after this one. */
  readonly last: boolean;
}
