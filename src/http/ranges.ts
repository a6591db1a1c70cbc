/** Byte ranges (RFC 9110 §14). Pure. */

import type { ByteRange } from "../directory/transfer.ts";

/** One range; elements of the list may be empty, and blanks stand around them (RFC 9110 §5.6.1.2). */
const ONE_RANGE = /^bytes=[ \t,]*(\d*)-(\d*)[ \t,]*$/i;

/**
 * What `Range` and `If-Range` ask for of `size` bytes; undefined for all of them: also for several ranges, for units
 * that are not ours, where `If-Range` names another value, and for the last bytes of a value that has none, which are
 * satisfied by it, and which no `Content-Range` can name. `tag` is the value's, in quotes.
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
  if (first === "") return last === "" ? undefined : suffixOf(size, Number(last));
  const from = Number(first);
  const to = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== "" && Number(last) < from) return undefined;
  return from < size ? { first: from, last: to } : "unsatisfiable";
}

function suffixOf(size: number, length: number): ByteRange | "unsatisfiable" | undefined {
  if (length === 0) return "unsatisfiable";
  return size === 0 ? undefined : { first: Math.max(0, size - length), last: size - 1 };
}
