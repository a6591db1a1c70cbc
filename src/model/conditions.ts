/** Entity tags, and the conditions on them under which a write or a read happens (RFC 9110 §13). */

/** Entity tags to compare with, without their quotes; `*` matches whatever exists. */
export type TagList = "*" | readonly string[];

/** Both may be given; If-Match is looked at first (RFC 9110 §13.2.2). */
export interface Conditions {
  readonly ifMatch?: TagList;
  readonly ifNoneMatch?: TagList;
  /**
   * Milliseconds since the epoch, to the second: only if the entry is there and was put no later. Of a write; looked at
   * last. An entry of which it is not known when it was put does not fulfil it.
   */
  readonly unmodifiedSince?: number | undefined;
}

/**
 * An entry's entity tag. Revisions are the bucket's own and a re-created bucket is a new incarnation, so a
 * tag never returns under one name.
 */
export function etag(incarnation: string, revision: number): string {
  return `${incarnation}-${revision}`;
}

/** The incarnation of the bucket that gave an entity tag. */
export function incarnationOfTag(tag: string): string {
  return tag.slice(0, tag.lastIndexOf("-"));
}

/** Whether If-Match holds. `current` is the entry's tag, undefined if there is no entry. */
export function matchHolds({ ifMatch }: Conditions, current: string | undefined): boolean {
  return ifMatch === undefined || matches(ifMatch, current);
}

/** Whether If-None-Match holds. */
export function noneMatchHolds({ ifNoneMatch }: Conditions, current: string | undefined): boolean {
  return ifNoneMatch === undefined || !matches(ifNoneMatch, current);
}

function matches(tags: TagList, current: string | undefined): boolean {
  if (current === undefined) return false;
  return tags === "*" || tags.includes(current);
}

/** Whether a write may happen. */
export function allows(
  entries: { readonly info: (key: string) => { readonly revision: number; readonly at: number } | undefined },
  key: string,
  conditions: Conditions,
  incarnation: string,
): boolean {
  // Most writes have no condition, and need no read.
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
 * Whether what was put at that time was not modified since: dates in HTTP have no parts of a second. Undefined: it is not
 * there; 0: that is not known.
 */
export function isUnmodified(at: number | undefined, since: number): boolean {
  return at !== undefined && at !== 0 && Math.floor(at / 1_000) * 1_000 <= since;
}
