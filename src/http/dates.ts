/** The conditions of RFC 9110 §13 that compare dates, and what has a date: `Last-Modified`. */

import { isUnmodified } from "../model/conditions.ts";
import { KvError } from "../model/errors.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTH = MONTHS.join("|");
const TIME = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";
/** The form to send, and the two that are only read (RFC 9110 §5.6.7). */
const FORMS = [
  new RegExp(`^[A-Z][a-z]{2}, (?<day>\\d\\d) (?<month>${MONTH}) (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^[A-Z][a-z]{5,8}, (?<day>\\d\\d)-(?<month>${MONTH})-(?<year>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^[A-Z][a-z]{2} (?<month>${MONTH}) (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];

/** Milliseconds since the epoch of a date in HTTP; undefined if it is none. */
export function httpDate(text: string, now: number): number | undefined {
  const parts = FORMS.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (parts === undefined) return undefined;
  const { day, month, year, hour, minute, second } = parts as Record<string, string>;
  const time = [Number(hour), Number(minute), Number(second)] as const;
  const at = Date.UTC(fullYear(String(year), now), MONTHS.indexOf(String(month)), Number(day), ...time);
  // 31 February would be a day in March.
  return new Date(at).getUTCDate() === Number(day) && time[0] < 24 && time[1] < 60 ? at : undefined;
}

/**
 * `If-Unmodified-Since`, for a change.
 * @throws {KvError} `header_invalid`: a condition that can't be read is not left out
 */
export function unmodifiedSince(headers: Headers, now: number): number | undefined {
  const text = headers.get("If-Unmodified-Since");
  if (text === null) return undefined;
  const date = httpDate(text, now);
  if (date !== undefined) return date;
  throw new KvError(
    "header_invalid",
    "If-Unmodified-Since is a date as Last-Modified has it: Sun, 06 Nov 1994 08:49:37 GMT.",
  );
}

/** Whether `If-Modified-Since` spares a reader the body: not where `If-None-Match` is there, nor if it is no date. */
export function isNotModified(headers: Headers, at: number, now: number): boolean {
  const text = headers.get("If-Modified-Since");
  if (text === null || headers.has("If-None-Match")) return false;
  const date = httpDate(text, now);
  return date !== undefined && isUnmodified(at, date);
}

/** Two digits that would be more than fifty years ahead are of the century before (RFC 9110 §5.6.7). */
function fullYear(digits: string, now: number): number {
  if (digits.length === 4) return Number(digits);
  const present = new Date(now).getUTCFullYear();
  const year = present - (present % 100) + Number(digits);
  return year > present + 50 ? year - 100 : year;
}
