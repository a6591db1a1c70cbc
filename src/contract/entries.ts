/** Entries as the API's JSON has them, and what is asked about them. */

/** A 64-bit integer: a JSON number while every reader holds it exactly (up to 2^53), otherwise its decimal digits. */
export type IntegerJson = number | string;

/** An entry without its value. */
export interface EntryInfoJson {
  readonly key: string;
  /** The bucket's revision that wrote the entry. */
  readonly revision: number;
  readonly etag: string;
  /** The content type. */
  readonly type: string;
  /** Bytes of the value. */
  readonly size: number;
  /** When it was put (RFC 3339). */
  readonly modified?: string | undefined;
  /** When it expires (RFC 3339); left out: never. */
  readonly expires?: string | undefined;
  readonly metadata?: unknown;
}

/** The value as text or, if its bytes are not UTF-8, in base64; neither, if it is too large to travel with others. */
export interface EntryJson extends EntryInfoJson {
  readonly value?: string | undefined;
  readonly base64?: string | undefined;
}

/** One page of a list of keys. */
export interface KeysPage {
  readonly keys: readonly EntryJson[];
  /** There is more: send it back for the next page. */
  readonly cursor?: string | undefined;
}

/** The result of a put. */
export interface Written {
  /** Whether the key is new. */
  readonly created: boolean;
  readonly revision: number;
  readonly etag: string;
}

/** The result of an increment. */
export interface Incremented extends Written {
  readonly value: IntegerJson;
}

/** Entity tags that a request depends on: one tag, several of them, or `*` for any. */
export interface ConditionsJson {
  readonly ifMatch?: string | readonly string[] | undefined;
  readonly ifNoneMatch?: string | readonly string[] | undefined;
}

/** In seconds (fractions allowed), or a time (RFC 3339); at most one of the two. Without either the entry never expires. */
export type LifetimeJson =
  | { readonly ttl?: number | undefined; readonly expires?: never }
  | { readonly ttl?: never; readonly expires?: string | undefined };

/** What is kept beside a value. */
export type PropertiesJson = LifetimeJson & {
  /** The content type. */
  readonly type?: string | undefined;
  /** Any JSON of at most 1,024 bytes. */
  readonly metadata?: unknown;
};

/** Keys in the order of their bytes; all conditions hold together. */
export interface RangeJson {
  readonly prefix?: string | undefined;
  /** The first key, included. */
  readonly start?: string | undefined;
  /** The end, not included. */
  readonly end?: string | undefined;
}

export interface ListQueryJson extends RangeJson {
  readonly reverse?: boolean | undefined;
  /** With values of up to 1 MiB. */
  readonly values?: boolean | undefined;
  /** The `cursor` of the page before. */
  readonly cursor?: string | undefined;
  /** 1,000 at most, and if left out. */
  readonly limit?: number | undefined;
}

/** The result of an import. */
export interface ImportResult {
  readonly lines: number;
  readonly imported: number;
  /** Entries that were there already with the same value and properties. */
  readonly unchanged: number;
  /** Entries whose lifetime was over. */
  readonly expired: number;
  readonly failed: number;
  /** The first thousand. */
  readonly errors: readonly { readonly line: number; readonly code: string; readonly detail: string }[];
}
