/** Adds up the results of an import's requests. Their line numbers begin anew in each; these are of the whole input. */

import { ConnectionError, errorOf, KvError } from "./errors.ts";
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
export function errorInWhole(error: unknown, sum: ImportResult, linesBefore: number): unknown {
  if (!(error instanceof KvError)) return error;
  if (error.code === "unexpected_answer" && error.status === 413) return refusedByProxy(error);
  const { code, status, message, details, retryAfterMs } = error;
  if (linesBefore === 0) return error;
  if (!isResult(details)) return afterParts(error, sum);
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

/** An error of a later request that does not say itself what was imported: with what those before it did. */
function afterParts(error: KvError, sum: ImportResult): KvError {
  const { code, status, message, details, retryAfterMs } = error;
  const imported = sum.imported + sum.unchanged + sum.expired;
  const why = `${message} The requests before it imported ${imported} of the first ${sum.lines} lines.`;
  const more = { status, details: { ...sum, ...details }, retryAfterMs, cause: error };
  // "Not sent" is true of this request, and not of the import.
  if (code === "not_connected") return new ConnectionError("connection_lost", why, more);
  return new (error.constructor as typeof KvError)(code, why, more);
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
