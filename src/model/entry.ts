/** What an entry is: its value, and what is kept beside it. */

import type { Value } from "./value.ts";
import type { KeyRange } from "./key-range.ts";
import type { Lifetime } from "./lifetime.ts";

/** An entry without its value. */
export interface EntryInfo {
  readonly revision: number;
  /** The content type; null is that of plain text, the text protocol's, which is too common to spell out. */
  readonly type: string | null;
  /** Bytes of the value. */
  readonly size: number;
  /** Milliseconds since the epoch; null: never. */
  readonly expires: number | null;
  /** When it was put, in milliseconds since the epoch; 0 if that is not known. */
  readonly at: number;
  /** JSON. */
  readonly metadata: string | null;
  /** Where the value is, if it is kept in chunks. */
  readonly large: string | null;
}

export interface Entry extends EntryInfo {
  /** Empty where the value is kept in chunks. */
  readonly value: Value;
}

/** What an entry is to be beside its value. */
export interface Properties {
  /** The content type; that of plain text if left out. */
  readonly type?: string | null | undefined;
  /** JSON. */
  readonly metadata?: string | null | undefined;
  readonly lifetime?: Lifetime | undefined;
}

export interface ListQuery extends KeyRange {
  /** Only keys behind this one, in the direction of the list. */
  readonly after?: string | undefined;
  /** The bucket whose list it has to be; whichever has the name, if left out. */
  readonly incarnation?: string | undefined;
  readonly reverse?: boolean | undefined;
  readonly values?: boolean | undefined;
  readonly limit: number;
}

export interface Listed extends EntryInfo {
  readonly key: string;
  /** If values were asked for, and it is not kept in chunks. */
  readonly value?: Value;
}

export interface ListPage {
  readonly entries: readonly Listed[];
  /** Whether there are more behind the last one. */
  readonly more: boolean;
}

export interface Increment {
  readonly by: bigint;
  /** What a key counts from that is not there; 0 if left out. */
  readonly initial?: bigint | undefined;
  /** Of a key that is not there; one that is there keeps its own. */
  readonly lifetime?: Lifetime | undefined;
}
