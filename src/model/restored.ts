/** Entries that an import writes, and the result for each. */

import type { Properties } from "./entry.ts";
import type { Failure } from "./errors.ts";
import type { LargeValue } from "./large-value.ts";
import type { Value } from "./value.ts";

/** An entry of an import. */
export interface RestoredEntry {
  readonly key: string;
  readonly value: Value | LargeValue;
  readonly properties: Properties;
}

/** The result for one entry. `unchanged`: the same entry existed already. `expired`: its lifetime was over. */
export type Restored = "imported" | "unchanged" | "expired" | Failure;
