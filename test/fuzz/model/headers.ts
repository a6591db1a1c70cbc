/** Conditional and range headers (RFC 9110 §13 and §14), read a second time, and in the plainest way. */

import type { Conditions } from "./bucket.ts";

const TAG = /^[ \t,]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,|$)/;

type Headers = Readonly<Record<string, string>>;

/** What the platform drops where nothing is behind the colon. */
const DROPPED = new Set([
  "If-Match",
  "If-None-Match",
  "If-Range",
  "Range",
  "Content-Type",
  "Content-Encoding",
  "Content-Range",
]);

/** A header's value, whatever its name's letters. */
export function header(headers: Headers, name: string): string | undefined {
  const found = Object.entries(headers).find(([given]) => given.toLowerCase() === name.toLowerCase());
  const value = found?.[1].trim();
  return value === "" && DROPPED.has(name) ? undefined : value;
}

/** Undefined where a header is no list of tags. */
export function conditionsOf(headers: Headers): Conditions | undefined {
  const ifMatch = tagsOf(header(headers, "If-Match"), { strongly: true });
  const ifNoneMatch = tagsOf(header(headers, "If-None-Match"), { strongly: false });
  return ifMatch === "invalid" || ifNoneMatch === "invalid" ? undefined : { ifMatch, ifNoneMatch };
}

function tagsOf(
  text: string | undefined,
  { strongly }: { readonly strongly: boolean },
): Conditions["ifMatch"] | "invalid" {
  if (text === undefined || text === "*") return text;
  const tags: string[] = [];
  let rest = text;
  while (!/^[ \t,]*$/.test(rest)) {
    const [whole = "", weak, tag = ""] = TAG.exec(rest) ?? [];
    if (whole === "") return "invalid";
    // A weak tag never matches where tags are compared strongly.
    if (weak === undefined || !strongly) tags.push(tag);
    else tags.push(`W/${tag}`);
    rest = rest.slice(whole.length);
  }
  return tags.length === 0 ? "invalid" : tags;
}

/** The bytes that are asked for; undefined: all of them. */
export function rangeOf(
  headers: Headers,
  size: number,
  etag: string,
): { readonly first: number; readonly last: number } | "unsatisfiable" | undefined {
  const range = /^bytes=(?:(\d+)-(\d*)|-(\d+))$/i.exec(header(headers, "Range") ?? "");
  const ifRange = header(headers, "If-Range");
  if (range === null || (ifRange !== undefined && ifRange !== etag)) return undefined;
  const [, first, last, suffix] = range;
  if (suffix !== undefined) {
    if (Number(suffix) === 0) return "unsatisfiable";
    // The last bytes of nothing are all of it, and no Content-Range can name them.
    return size === 0 ? undefined : { first: Math.max(0, size - Number(suffix)), last: size - 1 };
  }
  if (last !== undefined && last !== "" && Number(last) < Number(first)) return undefined;
  if (Number(first) >= size) return "unsatisfiable";
  return { first: Number(first), last: Math.min(last ? Number(last) : size - 1, size - 1) };
}
