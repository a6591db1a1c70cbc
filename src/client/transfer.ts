/** Export and import of a bucket's entries as NDJSON. */

import { abortable } from "./abortable.ts";
import { unexpectedAnswer } from "./answers.ts";
import type { Http, HttpRequest } from "./http.ts";
import { checkOptions, invalidRequest } from "./options.ts";
import type { CallOptions, ImportResult } from "./types.ts";
import { importedOf } from "./wire.ts";

export interface ExportOptions extends CallOptions {
  readonly prefix?: string | undefined;
}

export interface ImportOptions extends CallOptions {
  /** Whether an invalid line ends the import; `stop` by default. */
  readonly onError?: "stop" | "continue" | undefined;
}

const NDJSON = "application/x-ndjson";
/** Default deadline of an import, in milliseconds. */
const IMPORT_MS = 3_600_000;

export async function exportEntries(
  http: Http,
  bucket: string,
  options: ExportOptions,
): Promise<ReadableStream<Uint8Array>> {
  checkOptions("export", options);
  const { prefix, ...call } = options;
  const request: HttpRequest = { query: { prefix }, ...call, type: NDJSON, repeatable: true };
  const lines = await http.open(`${bucket}/export`, request);
  if (lines === undefined) throw unexpectedAnswer("it has no body.", 204);
  return lines;
}

/** Cancels `lines` if the service does not read them to the end. */
export async function importEntries(
  http: Http,
  bucket: string,
  lines: ReadableStream<Uint8Array> | string,
  options: ImportOptions,
): Promise<ImportResult> {
  checkOptions("import", options);
  if (typeof lines !== "string" && !(lines instanceof ReadableStream)) {
    throw invalidRequest("value_invalid", "import takes text, or a ReadableStream of bytes.");
  }
  const { onError, timeoutMs = IMPORT_MS, signal } = options;
  const over = new AbortController();
  const request: HttpRequest = {
    method: "POST",
    query: { onError },
    headers: { "Content-Type": NDJSON },
    body: typeof lines === "string" ? lines : abortable(lines, over.signal),
    timeoutMs,
    signal,
    // As with a put, a retry could overwrite what another client wrote in between.
    repeatable: false,
  };
  try {
    return await http.ask(`${bucket}/import`, request, importedOf);
  } finally {
    over.abort();
  }
}
