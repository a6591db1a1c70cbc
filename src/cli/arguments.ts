/** What is written on a command line, as what it means. */

import { InvalidArgumentError } from "commander";
import { exactly } from "./json-argument.ts";

export function whole(text: string): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError("It is a whole number.");
}

export function positive(text: string): number {
  const number = whole(text);
  if (number > 0) return number;
  throw new InvalidArgumentError("It is a whole number above 0.");
}

/** Seconds, also parts of one, to the millisecond. */
export function seconds(text: string): number {
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("It is a number of seconds above 0, such as 60 or 0.5.");
}

/** A number of 64 bits, or what the service will refuse as none. */
export function integer(text: string): bigint {
  if (/^[+-]?\d{1,19}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError("It is an integer.");
}

const RFC_3339 = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** A time as HTTP takes it (RFC 3339): with its zone, and a day that there is. */
export function date(text: string): Date {
  const day = RFC_3339.exec(text)?.[1];
  // `Date` goes on counting behind the end of a month: what it says then is another day.
  if (day !== undefined && !Number.isNaN(Date.parse(day)) && new Date(day).toISOString().startsWith(day)) {
    return new Date(text);
  }
  throw new InvalidArgumentError("It is a time with its zone, such as 2030-01-31T12:00:00Z (RFC 3339).");
}

/** What a JSON text says, wrapped: commander takes null for nothing given. */
export interface Json {
  readonly json: unknown;
}

export function json(text: string): Json {
  try {
    return { json: exactly(text) };
  } catch {
    throw new InvalidArgumentError(
      "It is JSON that can be kept as it is: integers within 2^53, numbers within those of JavaScript, each member once, and those named by numbers first.",
    );
  }
}

/** An entity tag, as `--json` and as HTTP write it; given several times, one of several. */
export function etag(text: string, before: readonly string[] | "*" = []): readonly string[] | "*" {
  if (text === "*" || before === "*") return "*";
  const tag = text.replace(/^"(.*)"$/, "$1");
  if (/^[0-9a-f]+-\d+$/.test(tag)) return [...before, tag];
  throw new InvalidArgumentError("It is an etag, as `kv get --json` shows it, or *.");
}

/** The members that are there: a client's option that is left out is no member. */
export function given<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
