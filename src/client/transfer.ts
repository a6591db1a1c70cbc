/** Export and import of a bucket's entries as NDJSON. */

import { abortable } from "./abortable.ts";
import { unexpectedAnswer } from "./answers.ts";
import { isLargerThan } from "./byte-length.ts";
import { timeLeft, within } from "./deadline.ts";
import type { FirstWrite } from "./first-write.ts";
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
  /**
   * The incarnation of the bucket, as `lookup` has it. If another bucket has the name, the import fails with
   * `bucket_changed`. By default it is the bucket that has the name at the first request.
   */
  readonly incarnation?: string | undefined;
  /** Called after each request, with what all of them so far have imported. */
  readonly onPart?: ((soFar: ImportResult) => void) | undefined;
}

const NDJSON = "application/x-ndjson";
/** Default deadline of an import, in milliseconds. */
const IMPORT_MS = 3_600_000;
/** Default size of a request. Cloudflare refuses bodies over 100 MB on its free and pro plans. */
const PART_BYTES = 32 * 1_048_576;

interface Context {
  readonly http: Http;
  readonly firstWrite: FirstWrite;
}

export async function exportEntries(
  { http, firstWrite }: Context,
  bucket: string,
  options: ExportOptions,
): Promise<ReadableStream<Uint8Array>> {
  checkOptions("export", options);
  const { prefix, ...call } = options;
  const request: HttpRequest = { query: { prefix }, ...call, type: NDJSON, repeatable: true };
  return firstWrite.reading(async () => {
    const lines = await http.open(`${bucket}/export`, request);
    if (lines === undefined) throw unexpectedAnswer("it has no body.", 204);
    return lines;
  }, new Blob([]).stream());
}

/** Cancels `lines` if the service does not read them to the end. */
export async function importEntries(
  { http, firstWrite }: Context,
  bucket: string,
  lines: ReadableStream<Uint8Array> | string,
  options: ImportOptions,
): Promise<ImportResult> {
  checkOptions("import", options);
  if (typeof lines !== "string" && !(lines instanceof ReadableStream)) {
    throw invalidRequest("value_invalid", "import takes text, or a ReadableStream of bytes.");
  }
  const { timeoutMs = IMPORT_MS, signal, partBytes = PART_BYTES, onPart, ...query } = options;
  const left = timeLeft(timeoutMs);
  const prepare = async (): Promise<void> => {
    signal?.throwIfAborted();
    // Before, and not when it fails: a stream can't be read twice. A bucket that is named exists already, or has ended.
    if (query.incarnation === undefined) await firstWrite.before({ signal, timeoutMs: options.timeoutMs });
  };
  const importPart = async (body: ReadableStream<Uint8Array> | string, call: PartOptions) =>
    sendPart(http, bucket, body, { ...query, ...call });
  if (typeof lines === "string" && !isLargerThan(partBytes, lines)) {
    await prepare();
    const part = await importPart(lines, { timeoutMs: left(), signal }).catch(rethrowIn(NOTHING, 0));
    const all = added(NOTHING, part, 0);
    onPart?.(all);
    return all;
  }
  const parts = new Parts(typeof lines === "string" ? new Blob([lines]).stream() : lines, partBytes);
  try {
    await prepare();
    return await within({ signal, timeoutMs: left() ?? timeoutMs }, async (deadline) => {
      const call = { signal: deadline, timeoutMs: Infinity };
      // Before the first part, and sent with each: one import never goes on in the next bucket of the name.
      const incarnation = query.incarnation ?? (await incarnationNow(http, bucket, call));
      for (let sum = NOTHING; ;) {
        const before = parts.lines;
        const part = await importPart(parts.next(), { ...call, incarnation }).catch((error: unknown) =>
          rethrowIn(sum, before)(parts.refused ?? error),
        );
        sum = added(sum, part, before);
        onPart?.(sum);
        if (!(await parts.more())) return sum;
      }
    });
  } finally {
    parts.cancel().catch(() => undefined);
  }
}

type PartOptions = Pick<ImportOptions, "onError" | "incarnation" | "timeoutMs" | "signal">;

/** Sends one request. Cancels `body` if the service does not read it to the end. */
async function sendPart(
  http: Http,
  bucket: string,
  body: ReadableStream<Uint8Array> | string,
  { onError, incarnation, timeoutMs, signal }: PartOptions,
): Promise<ImportResult> {
  const over = new AbortController();
  const request: HttpRequest = {
    method: "POST",
    query: { onError, incarnation },
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

/** @returns the bucket's incarnation @throws {BucketNotFoundError} */
async function incarnationNow(http: Http, bucket: string, call: CallOptions): Promise<string> {
  return (await http.ask(bucket, { ...call, repeatable: true }, incarnationOf)).incarnation;
}

/** @returns a function that throws the error of a part as one of the whole import */
function rethrowIn(sum: ImportResult, linesBefore: number): (error: unknown) => never {
  return (error) => {
    throw errorInWhole(error, sum, linesBefore);
  };
}
