/** Export and import of a bucket's entries as NDJSON. */

import { abortable } from "./abortable.ts";
import { unexpectedAnswer } from "./answers.ts";
import { isLargerThan } from "./byte-length.ts";
import { within } from "./deadline.ts";
import { InvalidRequestError } from "./errors.ts";
import type { Http, HttpRequest } from "./http.ts";
import { added, errorInWhole, NOTHING } from "./import-sum.ts";
import { checkOptions, invalidRequest } from "./options.ts";
import { Parts } from "./parts.ts";
import type { CallOptions, ImportResult } from "./types.ts";
import { importedOf, incarnationOf } from "./wire.ts";

/** Which entries an export has: all of them by default. */
export interface ExportOptions extends CallOptions {
  readonly prefix?: string | undefined;
}

/** How an import treats invalid lines and large inputs. */
export interface ImportOptions extends CallOptions {
  /** Whether an invalid line ends the import; `stop` by default. */
  readonly onError?: "stop" | "continue" | undefined;
  /**
   * The most bytes of one request; 32 MiB by default. More than that is sent in several requests, one after the other,
   * because a proxy, or Cloudflare, refuses larger bodies. They are cut at line ends; a longer line has its own request.
   */
  readonly partBytes?: number | undefined;
  /** Called after each request, with what all of them so far have imported. */
  readonly onPart?: ((soFar: ImportResult) => void) | undefined;
}

const NDJSON = "application/x-ndjson";
/** Default deadline of an import, in milliseconds. */
const IMPORT_MS = 3_600_000;
/** Default size of a request. Cloudflare refuses bodies over 100 MB on its free and pro plans. */
const PART_BYTES = 32 * 1_048_576;

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
  const { onError, timeoutMs = IMPORT_MS, signal, partBytes = PART_BYTES, onPart } = options;
  const importPart = async (body: ReadableStream<Uint8Array> | string, call: CallOptions) =>
    sendPart(http, bucket, body, { onError, ...call });
  if (typeof lines === "string" && !isLargerThan(partBytes, lines)) {
    const all = added(
      NOTHING,
      await importPart(lines, { timeoutMs, signal }).catch(rethrowIn(NOTHING, 0)),
      0,
    );
    onPart?.(all);
    return all;
  }
  const parts = new Parts(typeof lines === "string" ? new Blob([lines]).stream() : lines, partBytes);
  try {
    return await within({ signal, timeoutMs }, async (deadline) => {
      const call = { signal: deadline, timeoutMs: Infinity };
      let incarnation: string | undefined;
      for (let sum = NOTHING; ;) {
        const before = parts.lines;
        sum = added(sum, await importPart(parts.next(), call).catch(rethrowIn(sum, before)), before);
        onPart?.(sum);
        if (!(await parts.more())) return sum;
        // One import never goes on in the next bucket of the name.
        incarnation = await sameIncarnation(http, bucket, incarnation, call);
      }
    });
  } finally {
    parts.cancel().catch(() => undefined);
  }
}

/** Sends one request. Cancels `body` if the service does not read it to the end. */
async function sendPart(
  http: Http,
  bucket: string,
  body: ReadableStream<Uint8Array> | string,
  { onError, timeoutMs, signal }: ImportOptions,
): Promise<ImportResult> {
  const over = new AbortController();
  const request: HttpRequest = {
    method: "POST",
    query: { onError },
    headers: { "Content-Type": NDJSON },
    body: typeof body === "string" ? body : abortable(body, over.signal),
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

/** @returns the bucket's incarnation @throws {InvalidRequestError} `bucket_changed` if it is another one than expected */
async function sameIncarnation(
  http: Http,
  bucket: string,
  expected: string | undefined,
  call: CallOptions,
): Promise<string> {
  const { incarnation } = await http.ask(bucket, { ...call, repeatable: true }, incarnationOf);
  if (expected === undefined || incarnation === expected) return incarnation;
  const why = "Another bucket has taken the name. The lines so far were imported into the bucket before it.";
  throw new InvalidRequestError("bucket_changed", why, { status: 409 });
}

/** @returns a function that throws the error of a part as one of the whole import */
function rethrowIn(sum: ImportResult, linesBefore: number): (error: unknown) => never {
  return (error) => {
    throw errorInWhole(error, sum, linesBefore);
  };
}
