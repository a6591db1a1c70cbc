/** A page of a listing as SQLite writes it: JSON, with marks for what JavaScript has to fill in. */

import type { Value } from "./value.ts";

/** Stands before and after a time in milliseconds: SQLite is slow at dates. JSON text never contains it. */
export const TIME_MARK = "\u0001";
/** Stands for a value that is bytes, or long: only JavaScript can tell whether bytes are text. JSON never contains it. */
export const VALUE_MARK = "\u0002";

export interface PageDraft {
  /** The entries in JSON, with commas between them. */
  readonly text: string;
  /** A value for each {@link VALUE_MARK}, in order. */
  readonly values: readonly Value[];
  /** The last key of the page; undefined if no page follows. */
  readonly last: string | undefined;
}
