/** HTTP dates, and the conditional headers that compare them with `Last-Modified` (RFC 9110 §13). */

import { isUnmodified } from "../model/conditions.ts";
import { KvError } from "../model/errors.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTH = MONTHS.join("|");
const TIME = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";
/** The preferred format, and the two obsolete formats that must be accepted (RFC 9110 §5.6.7). */
const FORMS = [
  new RegExp(`^[A-Z][a-z]{2}, (?<day>\\d\\d) (?<month>${MONTH}) (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^[A-Z][a-z]{5,8}, (?<day>\\d\\d)-(?<month>${MONTH})-(?<year>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^[A-Z][a-z]{2} (?<month>${MONTH}) (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];

/** Parses an HTTP date to milliseconds since the epoch; undefined if it is not a date. */
function httpDate(text: string, now: number): number | undefined {
  const parts = FORMS.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (parts === undefined) return undefined;
  const { day, month, year, hour, minute, second } = parts as Record<string, string>;
  const time = [Number(hour), Number(minute), Number(second)] as const;
  const at = Date.UTC(fullYear(String(year), now), MONTHS.indexOf(String(month)), Number(day), ...time);
  // Date.UTC turns 31 February into a day of March: reject it.
  return new Date(at).getUTCDate() === Number(day) && time[0] < 24 && time[1] < 60 ? at : undefined;
}

/**
 * `If-Unmodified-Since`, in milliseconds since the epoch.
 * @throws {KvError} `header_invalid`: an unreadable condition is not ignored, because that could overwrite a value
 */
export function unmodifiedSince(headers: Headers, now: number): number | undefined {
  const text = headers.get("If-Unmodified-Since");
  if (text === null) return undefined;
  const date = httpDate(text, now);
  if (date !== undefined) return date;
  throw new KvError(
    "header_invalid",
    "If-Unmodified-Since must be an HTTP date, as in Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT.",
  );
}

/** Whether `If-Modified-Since` makes the response 304. It is ignored beside `If-None-Match`, and if it is not a date. */
export function isNotModified(headers: Headers, at: number, now: number): boolean {
  const text = headers.get("If-Modified-Since");
  if (text === null || headers.has("If-None-Match")) return false;
  const date = httpDate(text, now);
  return date !== undefined && isUnmodified(at, date);
}

/** A two-digit year that would be more than 50 years ahead is in the past century (RFC 9110 §5.6.7). */
function fullYear(digits: string, now: number): number {
  if (digits.length === 4) return Number(digits);
  const present = new Date(now).getUTCFullYear();
  const year = present - (present % 100) + Number(digits);
  return year > present + 50 ? year - 100 : year;
}
