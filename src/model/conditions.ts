/** Entity tags, and the conditional requests that use them (RFC 9110 §13). Pure. */

/** Entity tags to compare with, without their quotes; `*` matches every existing entry. */
export type TagList = "*" | readonly string[];

/** The conditions of one request. All of them must hold; If-Match is evaluated first (RFC 9110 §13.2.2). */
export interface Conditions {
  readonly ifMatch?: TagList;
  readonly ifNoneMatch?: TagList;
  /**
   * For writes only, evaluated last: the entry must exist and must not have been put after this time, in milliseconds
   * since the epoch with a precision of one second. An entry whose time of writing is unknown fails the condition.
   */
  readonly unmodifiedSince?: number | undefined;
}

/**
 * An entry's entity tag. A revision is unique within a bucket and a re-created bucket has a new incarnation, so two
 * versions of a key never share a tag.
 */
export function etag(incarnation: string, revision: number): string {
  return `${tagPrefix(incarnation)}${revision}`;
}

/** What stands before the revision in the tags of a bucket. */
export function tagPrefix(incarnation: string): string {
  return `${incarnation}-`;
}

/** The incarnation of the bucket that issued an entity tag. */
export function incarnationOfTag(tag: string): string {
  return tag.slice(0, tag.lastIndexOf("-"));
}

/** Whether If-Match holds. `current` is the entry's tag, undefined if there is no entry. */
export function matchHolds({ ifMatch }: Conditions, current: string | undefined): boolean {
  return ifMatch === undefined || matches(ifMatch, current);
}

/** Whether If-None-Match holds. `current` is the entry's tag, undefined if there is no entry. */
export function noneMatchHolds({ ifNoneMatch }: Conditions, current: string | undefined): boolean {
  return ifNoneMatch === undefined || !matches(ifNoneMatch, current);
}

function matches(tags: TagList, current: string | undefined): boolean {
  if (current === undefined) return false;
  return tags === "*" || tags.includes(current);
}

/** Whether all conditions of a write hold for the entry of `key`. */
export function allows(
  entries: { readonly info: (key: string) => { readonly revision: number; readonly at: number } | undefined },
  key: string,
  conditions: Conditions,
  incarnation: string,
): boolean {
  // Most writes have no condition and need no read.
  const { ifMatch, ifNoneMatch, unmodifiedSince } = conditions;
  if (ifMatch === undefined && ifNoneMatch === undefined && unmodifiedSince === undefined) return true;
  const entry = entries.info(key);
  const tag = entry && etag(incarnation, entry.revision);
  return (
    matchHolds(conditions, tag) &&
    noneMatchHolds(conditions, tag) &&
    (unmodifiedSince === undefined || isUnmodified(entry?.at, unmodifiedSince))
  );
}

/**
 * Whether an entry that was put at `at` is unmodified since `since`. Compares whole seconds, because HTTP dates have no
 * fractions. `at` is undefined if there is no entry, and 0 if the time is unknown.
 */
export function isUnmodified(at: number | undefined, since: number): boolean {
  return at !== undefined && at !== 0 && Math.floor(at / 1_000) * 1_000 <= since;
}
