/** Entries: a value with its properties, and the queries and results that list and increment them. */

import type { ListQueryJson } from "../contract/entries.ts";
import type { Value } from "./value.ts";
import type { KeyRange } from "./key-range.ts";
import type { Lifetime } from "./lifetime.ts";

/** An entry without its value. */
export interface EntryInfo {
  /** The bucket's revision that wrote the entry. */
  readonly revision: number;
  /** The content type; null stands for plain text, the text protocol's type, which is too common to store. */
  readonly type: string | null;
  /** Size of the value in bytes. */
  readonly size: number;
  /** When the entry expires, in milliseconds since the epoch; null: never. */
  readonly expires: number | null;
  /** When the entry was put, in milliseconds since the epoch; 0 if unknown. */
  readonly at: number;
  /** JSON text. */
  readonly metadata: string | null;
  /** The id of the chunked value (see `LargeValue`); null if the value is stored whole. */
  readonly large: string | null;
}

/** An entry with its value. */
export interface Entry extends EntryInfo {
  /** Empty if the value is stored in chunks. */
  readonly value: Value;
}

/** The properties that a put gives an entry beside its value. */
export interface Properties {
  /** The content type; plain text if left out. */
  readonly type?: string | null | undefined;
  /** JSON text. */
  readonly metadata?: string | null | undefined;
  readonly lifetime?: Lifetime | undefined;
}

/** A query for one page of a bucket's entries. */
export interface ListQuery extends KeyRange, Pick<ListQueryJson, "reverse" | "values"> {
  /** Only keys after this one, in the direction of the list. */
  readonly after?: string | undefined;
  /** The incarnation that the list must belong to; if left out, the bucket that has the name now. */
  readonly incarnation?: string | undefined;
  readonly limit: number;
}

/** One entry of a page. */
export interface Listed extends EntryInfo {
  readonly key: string;
  /** Present if the query asked for values and the value is not stored in chunks. */
  readonly value?: Value;
}

/** One page of a bucket's entries. */
export interface ListPage {
  readonly entries: readonly Listed[];
  /** Whether more entries follow the last one. */
  readonly more: boolean;
}

/** What an increment adds, and how it creates a missing key. */
export interface Increment {
  readonly by: bigint;
  /** The start value of a missing key; 0 if left out. */
  readonly initial?: bigint | undefined;
  /** The lifetime of a missing key; an existing key keeps its own. */
  readonly lifetime?: Lifetime | undefined;
}
