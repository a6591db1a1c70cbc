/** Parsers for option values and arguments of the command line. */

import { InvalidArgumentError } from "commander";
import { parseLossless } from "./json-argument.ts";

export function parseWhole(text: string): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError("Expected a whole number.");
}

export function parsePositive(text: string): number {
  const number = parseWhole(text);
  if (number > 0) return number;
  throw new InvalidArgumentError("Expected a whole number above 0.");
}

/** Seconds, with up to three decimal places. */
export function parseSeconds(text: string): number {
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("Expected a number of seconds above 0, such as 60 or 0.5.");
}

/** Mebibytes, with up to three decimal places. @returns bytes */
export function parseMebibytes(text: string): number {
  const bytes = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Math.floor(Number(text) * 1_048_576) : 0;
  if (bytes > 0) return bytes;
  throw new InvalidArgumentError("Expected a number of MiB above 0, such as 32 or 0.5.");
}

/** An integer. Whether it fits into 64 bits is checked by the service. */
export function parseInteger(text: string): bigint {
  if (/^[+-]?\d{1,19}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError("Expected an integer.");
}

const RFC_3339 = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** A time in the service's format (RFC 3339), with a time zone and an existing day. */
export function parseDate(text: string): Date {
  const day = RFC_3339.exec(text)?.[1];
  // `Date` turns 30 February into 2 March, so compare the day.
  if (day !== undefined && !Number.isNaN(Date.parse(day)) && new Date(day).toISOString().startsWith(day)) {
    return new Date(text);
  }
  throw new InvalidArgumentError(
    "Expected a time with its time zone, such as 2030-01-31T12:00:00Z (RFC 3339).",
  );
}

/** A JSON value, wrapped because commander treats null as missing. */
export interface Json {
  readonly json: unknown;
}

export function parseJsonArgument(text: string): Json {
  try {
    return { json: parseLossless(text) };
  } catch {
    throw new InvalidArgumentError(
      "Expected JSON that JavaScript keeps as it is: integers up to 2^53, no number beyond its range, no duplicate members, and members with numeric names first.",
    );
  }
}

/** An etag as `--json` prints it, or quoted as in HTTP. A repeated option collects several. */
export function parseEtag(text: string, before: readonly string[] | "*" = []): readonly string[] | "*" {
  if (text === "*" || before === "*") return "*";
  const tag = text.replace(/^"(.*)"$/, "$1");
  if (/^[0-9a-f]+-\d+$/.test(tag)) return [...before, tag];
  throw new InvalidArgumentError("Expected an etag, as `kv get --json` prints it, or *.");
}

/** A copy without the members that are undefined. */
export function withoutUndefined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
