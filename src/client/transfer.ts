/** A bucket's entries as lines: out of one, and into another. */

import { abortable } from "./abortable.ts";
import { unexpected } from "./answers.ts";
import type { Http, HttpRequest } from "./http.ts";
import { checkOptions, refused } from "./options.ts";
import type { CallOptions, ImportResult } from "./types.ts";
import { importedOf } from "./wire.ts";

export interface ExportOptions extends CallOptions {
  readonly prefix?: string | undefined;
}

export interface ImportOptions extends CallOptions {
  /** What a line that is wrong does; `stop` if left out. */
  readonly onError?: "stop" | "continue" | undefined;
}

const NDJSON = "application/x-ndjson";
/** How long an import may take, in milliseconds, unless it is said. */
const IMPORT_MS = 3_600_000;

export async function exported(
  http: Http,
  bucket: string,
  options: ExportOptions,
): Promise<ReadableStream<Uint8Array>> {
  checkOptions("export", options);
  const { prefix, ...call } = options;
  const request: HttpRequest = { query: { prefix }, ...call, type: NDJSON, safe: true };
  const lines = await http.open(`${bucket}/export`, request);
  if (lines === undefined) throw unexpected("it has no lines.", 204);
  return lines;
}

/** Lines that are not taken are cancelled. */
export async function imported(
  http: Http,
  bucket: string,
  lines: ReadableStream<Uint8Array> | string,
  options: ImportOptions,
): Promise<ImportResult> {
  checkOptions("import", options);
  if (typeof lines !== "string" && !(lines instanceof ReadableStream)) {
    throw refused("value_invalid", "import takes text, or a ReadableStream of bytes.");
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
    // As a put: it would undo what somebody else has written between two tries.
    safe: false,
  };
  try {
    return await http.ask(`${bucket}/import`, request, importedOf);
  } finally {
    over.abort();
  }
}
