/** Byte ranges (RFC 9110 §14). Pure. */

import type { ByteRange } from "../bucket/transfer.ts";

const ONE_RANGE = /^bytes=(\d*)-(\d*)$/i;

/**
 * What `Range` and `If-Range` ask for of `size` bytes; undefined for all of them: also for several ranges, for units
 * that are not ours, and where `If-Range` names another value. `tag` is the value's, in quotes.
 */
export function rangeOf(
  headers: Headers,
  size: number,
  tag: string,
): ByteRange | "unsatisfiable" | undefined {
  const header = headers.get("Range");
  if (header === null) return undefined;
  const ifRange = headers.get("If-Range");
  if (ifRange !== null && ifRange !== tag) return undefined;
  const [, first = "", last = ""] = ONE_RANGE.exec(header.trim()) ?? [];
  if (first === "" && last === "") return undefined;
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  return from < size && from <= to ? { first: from, last: to } : "unsatisfiable";
}
