/** `POST …/import?onError&incarnation`: imports the entries of an export, one on each line. */

import { BrokenOff, piecesOf } from "../directory/body.ts";
import type { BucketHandle } from "../directory/bucket-handle.ts";
import { breath } from "../lib/breath.ts";
import { failure, failureOf, KvError } from "../model/errors.ts";
import { isLarge } from "../model/large-value.ts";
import { CHUNK_BYTES } from "../model/limits.ts";
import type { RestoredEntry } from "../model/restored.ts";
import { bytesOf } from "../model/value.ts";
import { Refusal } from "../otp/exit.ts";
import { checkQuery, parseJson, parseJsonInPieces } from "../schema/check.ts";
import { entryOf } from "../schema/entry-line.ts";
import { ImportQuery } from "../schema/requests.ts";
import { bytesOfBase64 } from "./base64-pieces.ts";
import type { Context } from "./context.ts";
import { ImportReport } from "./import-report.ts";
import { bodyLines, type BodyLine } from "./ndjson.ts";
import { problem } from "./problem.ts";

/** The most entries, and about the most bytes of values, in one call of the bucket. */
const GROUP_ENTRIES = 256;
const GROUP_BYTES = 1_048_576;
/** The cost of an invalid line beside reading it: an error with its stack and text. See {@link Breath}. */
const ERROR_UNITS = 8;
const BASE64_LAST = /"base64"\s*:\s*"$/;

const ANOTHER_BUCKET =
  "The bucket of this incarnation has ended, and another bucket has its name. Nothing of this request was imported.";
const BROKEN_OFF =
  "The body ended too early. The lines before that were imported. Send it again: they will be found unchanged.";

/**
 * Imports line by line as the body arrives. An invalid line stops the import: all lines before it are imported, and none
 * after it. With `?onError=continue` it is only reported. Importing the same again changes nothing.
 */
export async function importBucket(request: Request, context: Context): Promise<Response> {
  // Pinned, so that all lines go to the same bucket.
  const bucket = context.bucket.pinned();
  const { onError = "stop", incarnation } = checkQuery(ImportQuery, context.target.query);
  const found = await bucket.check();
  if (incarnation !== undefined && found.incarnation !== incarnation) {
    throw new KvError("bucket_changed", ANOTHER_BUCKET);
  }
  const lines = new Import(bucket, { stop: onError === "stop" });
  const { report } = lines;
  try {
    for await (const line of bodyLines(piecesOf(request))) {
      await lines.add(line);
      if (lines.stopped) break;
    }
    await lines.flush();
  } catch (error) {
    if (!(error instanceof BrokenOff)) throw error;
    await lines.flush();
    return problem(failure("upload_lost", BROKEN_OFF), {}, { ...report.summary() });
  }
  if (!lines.stopped) return Response.json(report.summary());
  const [first] = report.errors;
  report.lines = first?.line ?? report.lines; // lines after it were read in the same group, and not imported
  const why = `Line ${first?.line}: ${first?.detail} The lines before it were imported; the lines after it were not.`;
  return problem(failure("import_stopped", why), {}, { line: first?.line, ...report.summary() });
}

/** Sends lines to a bucket, in groups. */
class Import {
  readonly report = new ImportReport();
  readonly #bucket: BucketHandle;
  readonly #stop: boolean;
  readonly #group: { readonly number: number; readonly entry: RestoredEntry }[] = [];
  #bytes = 0;

  constructor(bucket: BucketHandle, { stop }: { readonly stop: boolean }) {
    this.#bucket = bucket;
    this.#stop = stop;
  }

  /** Whether an invalid line has stopped the import. */
  get stopped(): boolean {
    return this.#stop && this.report.failed > 0;
  }

  /** Adds a line, and sends the group when it is full. @throws {BrokenOff} if the body ended too early */
  async add(line: BodyLine): Promise<void> {
    try {
      const entry = await entryOfLine(line, this.#bucket);
      this.#group.push({ number: line.number, entry });
      // The bucket keeps an uploaded large value only for a while without its entry: send the group at once.
      this.#bytes += isLarge(entry.value) ? GROUP_BYTES : bytesOf(entry.value).byteLength;
    } catch (error) {
      if (!isAboutLine(error)) throw error;
      const pause = breath.take(ERROR_UNITS);
      if (pause !== undefined) await pause;
      await this.flush();
      // A line of the group before this one may have stopped the import. Then this line is not reported.
      if (!this.stopped) this.report.add(line.number, failureOf(error));
    }
    this.report.lines = line.number;
    if (this.#group.length >= GROUP_ENTRIES || this.#bytes >= GROUP_BYTES) await this.flush();
  }

  /** Sends the group. */
  async flush(): Promise<void> {
    const lines = this.#group.splice(0);
    this.#bytes = 0;
    if (lines.length === 0) return;
    const entries = lines.map(({ entry }) => entry);
    const restored = await this.#bucket.restore(entries, { stop: this.#stop });
    restored.forEach((one, index) => this.report.add(lines[index]?.number ?? 0, one));
  }
}

/** Whether an error concerns one line, and not the bucket or the whole body. */
function isAboutLine(error: unknown): boolean {
  return error instanceof Refusal && error.code !== "bucket_not_found" && !(error instanceof BrokenOff);
}

/** Parses a line. A large value is uploaded, and the entry refers to it. */
async function entryOfLine(line: BodyLine, bucket: BucketHandle): Promise<RestoredEntry> {
  if ("bytes" in line) {
    const entry = entryOf(await parseJsonInPieces(line.bytes));
    const value = bytesOf(entry.value);
    return value.byteLength <= CHUNK_BYTES ? entry : { ...entry, value: await bucket.upload([value]) };
  }
  if (!BASE64_LAST.test(new TextDecoder().decode(line.head))) {
    throw new KvError("body_invalid", 'In a line this long, "base64" must be the last member.');
  }
  const entry = entryOf(parseJson(await new Blob([line.head, '"}']).arrayBuffer()));
  const value = await bucket.upload(bytesOfBase64(line.rest));
  try {
    await line.end();
  } catch (error) {
    if (isLarge(value)) bucket.abandon(value);
    throw error;
  }
  return { ...entry, value };
}
