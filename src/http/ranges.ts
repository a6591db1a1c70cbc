/** Byte ranges (RFC 9110 §14). Pure. */

import type { ByteRange } from "../directory/transfer.ts";

/** One range. The list may have empty elements, and blanks around elements (RFC 9110 §5.6.1.2). */
const ONE_RANGE = /^bytes=[ \t,]*(\d*)-(\d*)[ \t,]*$/i;

/**
 * The range that `Range` and `If-Range` ask for. Undefined means the whole value. That is also the result for several
 * ranges, for other units than bytes, if `If-Range` has another tag, and for a suffix range of an empty value: that range
 * is satisfiable, but no `Content-Range` can express it.
 *
 * @param size of the value, in bytes
 * @param tag the entity tag of the value, in quotes
 */
export function byteRangeOf(
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
