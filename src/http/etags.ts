/** The conditional headers that compare entity tags (RFC 9110 §13). */

import type { Conditions, TagList } from "../model/conditions.ts";
import { KvError } from "../model/errors.ts";

/** The characters between the quotes of a tag (RFC 9110 §8.8.3). */
const OPAQUE = /^[\x21\x23-\x7e\x80-\xff]*$/;

/**
 * Parses `If-Match` and `If-None-Match`.
 * @throws {KvError} `header_invalid`
 */
export function headerConditions(headers: Headers): Conditions {
  const ifMatch = tags("If-Match", headers.get("If-Match"));
  const ifNoneMatch = tags("If-None-Match", headers.get("If-None-Match"));
  return {
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
  };
}

/** An entity tag as a header carries it. */
export function etagHeader(tag: string): string {
  return `"${tag}"`;
}

function tags(header: string, text: string | null): TagList | undefined {
  if (text === null) return undefined;
  if (text.trim() === "*") return "*";
  const found = listOf(text);
  if (found === undefined || found.length === 0) {
    throw new KvError("header_invalid", `${header} must be a list of entity tags in double quotes, or *.`);
  }
  // A cache may have made a tag weak. All our tags are strong, so If-None-Match can compare without the `W/`. If-Match
  // uses strong comparison, in which a weak tag never matches (RFC 9110 §8.8.3.2).
  return found.map(({ weak, tag }) => (weak && header === "If-Match" ? `W/${tag}` : tag));
}

/**
 * Parses a list of tags; undefined if the text is not such a list. Elements may be empty (RFC 9110 §5.6.1.2). Each
 * character is read once: a regular expression would backtrack, in quadratic time, over thousands of blanks.
 */
function listOf(text: string): { readonly weak: boolean; readonly tag: string }[] | undefined {
  const found = [];
  let at = 0;
  for (;;) {
    while (isBlank(text[at]) || text[at] === ",") at += 1;
    if (at === text.length) return found;
    const weak = text.startsWith("W/", at);
    if (weak) at += 2;
    const end = text.indexOf('"', at + 1);
    if (text[at] !== '"' || end === -1) return undefined;
    const tag = text.slice(at + 1, end);
    if (!OPAQUE.test(tag)) return undefined;
    found.push({ weak, tag });
    at = end + 1;
    while (isBlank(text[at])) at += 1;
    if (at < text.length && text[at] !== ",") return undefined;
  }
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}
