/** A change of an entry, as the change log has it and watchers see it. */

import type { Value } from "./value.ts";

/** `expired`: the entry was removed because its lifetime was over. */
export type ChangeKind = "put" | "delete" | "expired";

/** One change of one key. */
export interface Change {
  /** The bucket's revision after this change: one more than the revision of the change before. */
  readonly revision: number;
  readonly kind: ChangeKind;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly key: string;
  /** Null for a removed entry, for a value in chunks, and for a value over {@link LOGGED_VALUE_BYTES} read from the log. */
  readonly value: Value | null;
  /** Size of the value in bytes. */
  readonly size: number;
  readonly type: string | null;
  /** JSON text. */
  readonly metadata: string | null;
  /** When the entry expires, in milliseconds since the epoch; null: never. */
  readonly expires: number | null;
}
