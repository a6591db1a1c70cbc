/** Adds up the results of an import's requests. Their line numbers begin anew in each; these are of the whole input. */

import { afterOthers } from "./after-others.ts";
import { errorOf, KvError } from "./errors.ts";
import type { ImportResult } from "./types.ts";

export const NOTHING: ImportResult = {
  lines: 0,
  imported: 0,
  unchanged: 0,
  expired: 0,
  failed: 0,
  errors: [],
};

/** The most errors that are listed, as in the service's own result. */
const MAX_ERRORS = 1_000;

/** @param linesBefore the lines of the whole input before this part */
export function added(sum: ImportResult, part: ImportResult, linesBefore: number): ImportResult {
  const room = Math.max(0, MAX_ERRORS - sum.errors.length);
  return {
    // Empty lines at the end of a part are not in its number of lines.
    lines: part.lines === 0 ? sum.lines : linesBefore + part.lines,
    imported: sum.imported + part.imported,
    unchanged: sum.unchanged + part.unchanged,
    expired: sum.expired + part.expired,
    failed: sum.failed + part.failed,
    errors: [
      ...sum.errors,
      ...part.errors.slice(0, room).map((error) => ({ ...error, line: linesBefore + error.line })),
    ],
  };
}

/** A part's error, as one of the whole import: with the lines and counts of the parts before it. */
export function errorInWhole(given: unknown, sum: ImportResult, linesBefore: number): unknown {
  if (!(given instanceof KvError)) return given;
  const error = isRefusedByProxy(given) ? refusedByProxy(given) : given;
  if (linesBefore === 0) return error;
  const { code, status, message, details, retryAfterMs } = error;
  if (!isResult(details)) {
    const imported = sum.imported + sum.unchanged + sum.expired;
    const done = `The requests before it imported ${imported} of the first ${sum.lines} lines.`;
    return afterOthers(error, done, { ...sum });
  }
  const { line } = details as { readonly line?: number };
  const detail = message.replace(
    /^Line (\d+)/,
    (_, number: string) => `Line ${linesBefore + Number(number)}`,
  );
  return errorOf(
    {
      ...details,
      ...added(sum, details, linesBefore),
      ...(line === undefined ? {} : { line: linesBefore + line }),
      code,
      status,
      detail,
    },
    retryAfterMs,
  );
}

function isRefusedByProxy({ code, status }: KvError): boolean {
  return code === "unexpected_answer" && status === 413;
}

function refusedByProxy(cause: KvError): KvError {
  const why =
    "A proxy in front of the service refuses a request body of this size (413). Set a smaller partBytes than its limit, and import again.";
  return new KvError(cause.code, why, { status: cause.status, cause });
}

function isResult(details: object): details is ImportResult {
  return (
    ["lines", "imported", "unchanged", "expired", "failed"].every(
      (member) => typeof (details as Readonly<Record<string, unknown>>)[member] === "number",
    ) && Array.isArray((details as { readonly errors?: unknown }).errors)
  );
}
