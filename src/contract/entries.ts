/** The published shapes of entries in the API's JSON, and of the requests for them. Types only. */

/** A 64-bit integer: a JSON number while every reader holds it exactly (up to 2^53), otherwise its decimal digits. */
export type IntegerJson = number | string;

/** An entry without its value. */
export interface EntryInfoJson {
  readonly key: string;
  /** The bucket's revision that wrote the entry. */
  readonly revision: number;
  /** For `ifMatch` and `ifNoneMatch`. Never reused under the bucket's name. */
  readonly etag: string;
  /** The content type. */
  readonly type: string;
  /** Size of the value in bytes. */
  readonly size: number;
  /** When the entry was put (RFC 3339). Left out: unknown. */
  readonly modified?: string | undefined;
  /** When the entry expires (RFC 3339). Left out: never. */
  readonly expires?: string | undefined;
  readonly metadata?: unknown;
}

/**
 * An entry with its value: as text, in base64 if its bytes are not UTF-8, or left out if it is too large to be sent
 * with others.
 */
export interface EntryJson extends EntryInfoJson {
  readonly value?: string | undefined;
  readonly base64?: string | undefined;
}

/** One page of a list of keys. */
export interface KeysPage {
  readonly keys: readonly EntryJson[];
  /** Present if there are more keys: send it back for the next page. */
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

/** Conditions of a request: one etag, several etags, or `*` for any existing entry. */
export interface ConditionsJson {
  readonly ifMatch?: string | readonly string[] | undefined;
  readonly ifNoneMatch?: string | readonly string[] | undefined;
}

/**
 * A lifetime: `ttl` in seconds (fractions allowed), or `expires`, a time (RFC 3339); at most one of them. Without both
 * the entry never expires.
 */
export type LifetimeJson =
  | { readonly ttl?: number | undefined; readonly expires?: never }
  | { readonly ttl?: never; readonly expires?: string | undefined };

/** The properties of an entry beside its value. */
export type PropertiesJson = LifetimeJson & {
  /** The content type. */
  readonly type?: string | undefined;
  /** Any JSON of at most 1,024 bytes. */
  readonly metadata?: unknown;
};

/** A range of keys, in the order of their bytes. A key is in it if all given conditions hold. */
export interface RangeJson {
  readonly prefix?: string | undefined;
  /** The lower bound, included. */
  readonly start?: string | undefined;
  /** The upper bound, excluded. */
  readonly end?: string | undefined;
}

/** A query for one page of keys. */
export interface ListQueryJson extends RangeJson {
  /** From the last key to the first; false by default. */
  readonly reverse?: boolean | undefined;
  /** Includes values of up to 1 MiB; false by default. */
  readonly values?: boolean | undefined;
  /** The `cursor` of the previous page. */
  readonly cursor?: string | undefined;
  /** Keys on one page: 1 to 1,000; 1,000 if left out. */
  readonly limit?: number | undefined;
}

/** The result of an import. */
export interface ImportResult {
  /** Lines that were read. */
  readonly lines: number;
  readonly imported: number;
  /** Entries that existed already with the same value and properties. */
  readonly unchanged: number;
  /** Entries whose lifetime was over. */
  readonly expired: number;
  readonly failed: number;
  /** The first 1,000 errors. */
  readonly errors: readonly { readonly line: number; readonly code: string; readonly detail: string }[];
}
