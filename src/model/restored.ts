/** Entries that an import brings back. */

import type { Properties } from "./entry.ts";
import type { Failure } from "./errors.ts";
import type { LargeValue } from "./large-value.ts";
import type { Value } from "./value.ts";

export interface RestoredEntry {
  readonly key: string;
  readonly value: Value | LargeValue;
  readonly properties: Properties;
}

/** `unchanged`: the same entry was there already. `expired`: its lifetime was over. */
export type Restored = "imported" | "unchanged" | "expired" | Failure;
