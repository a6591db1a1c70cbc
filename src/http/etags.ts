/** The conditional headers of RFC 9110 §13. */

import type { Conditions, TagList } from "../bucket/conditions.ts";
import { KvError } from "../errors.ts";

const TAG = /\s*(W\/)?"([\x21\x23-\x7e]*)"\s*(?:,|$)/g;

/**
 * `If-Match` and `If-None-Match`.
 * @throws {KvError} `header_invalid`
 */
export function conditionsOf(headers: Headers): Conditions {
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
  const found = [...text.matchAll(TAG)];
  // Every character belongs to a tag or stands between two: anything else is no list of tags.
  if (found.length === 0 || text.replaceAll(TAG, "").trim() !== "") {
    throw new KvError("header_invalid", `${header} is a list of entity tags in double quotes, or *.`);
  }
  // A cache may have weakened a tag. Ours are all strong, so If-None-Match can compare without the mark;
  // If-Match compares strongly, and a weak tag never matches (RFC 9110 §8.8.3.2).
  return found.map(([, weak, tag = ""]) => (weak !== undefined && header === "If-Match" ? `W/${tag}` : tag));
}
