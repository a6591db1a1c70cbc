/** The conditional headers of RFC 9110 §13. */

import type { Conditions, TagList } from "../bucket/conditions.ts";
import { KvError } from "../errors.ts";

const STRONG = /^"([\x21\x23-\x7e]*)"$/;

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
  return text.split(",").map((part) => {
    // A cache may have weakened the tag. Ours are all strong, so If-None-Match can compare without the mark;
    // If-Match compares strongly, and a weak tag never matches (RFC 9110 §8.8.3.2).
    const weak = part.trim().startsWith("W/");
    const tag = STRONG.exec(weak ? part.trim().slice(2) : part.trim())?.[1];
    if (tag === undefined)
      throw new KvError("header_invalid", `${header} is a list of entity tags in double quotes, or *.`);
    return weak && header === "If-Match" ? `W/${tag}` : tag;
  });
}
