/** `POST …/import?onError`: entries of an export, one a line. */

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

/** Entries, and bytes of their values, that travel together. */
const GROUP_ENTRIES = 256;
const GROUP_BYTES = 1_048_576;
/** What a line that is wrong costs beside its reading: an error with its stack, and what it says. See {@link Breath}. */
const ERROR_UNITS = 8;
const BASE64_LAST = /"base64"\s*:\s*"$/;

const BROKEN_OFF =
  "The body broke off. The lines before that are imported: send it again, and they are found unchanged.";

/**
 * Reads line by line as the body arrives. A line that is wrong stops the import, with all lines before it done and
 * none behind it; with `?onError=continue` it is only told of. To send the same again changes nothing.
 */
export async function importBucket(request: Request, context: Context): Promise<Response> {
  const { target } = context;
  const { onError = "stop" } = checkQuery(ImportQuery, target.query);
  // All lines go to the bucket that the first one went to.
  const bucket = context.bucket.pinned();
  await bucket.check();
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
  report.lines = first?.line ?? report.lines; // those behind it came with it, and nobody got to them
  const why = `Line ${first?.line}: ${first?.detail} The lines before it are imported, those behind it are not.`;
  return problem(failure("import_stopped", why), {}, { line: first?.line, ...report.summary() });
}

/** Lines on their way into a bucket, in groups. */
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

  /** Whether a line was wrong that no other may follow. */
  get stopped(): boolean {
    return this.#stop && this.report.failed > 0;
  }

  /** @throws {BrokenOff} */
  async add(line: BodyLine): Promise<void> {
    try {
      const entry = await entryOfLine(line, this.#bucket);
      this.#group.push({ number: line.number, entry });
      // A large value waits for its entry, and not for long: it goes at once.
      this.#bytes += isLarge(entry.value) ? GROUP_BYTES : bytesOf(entry.value).byteLength;
    } catch (error) {
      if (!isAboutLine(error)) throw error;
      const pause = breath.take(ERROR_UNITS);
      if (pause !== undefined) await pause;
      await this.flush();
      // One of those before it may have stopped the import: then nobody gets to this one.
      if (!this.stopped) this.report.add(line.number, failureOf(error));
    }
    this.report.lines = line.number;
    if (this.#group.length >= GROUP_ENTRIES || this.#bytes >= GROUP_BYTES) await this.flush();
  }

  /** Sends on what has been added. */
  async flush(): Promise<void> {
    const lines = this.#group.splice(0);
    this.#bytes = 0;
    if (lines.length === 0) return;
    const entries = lines.map(({ entry }) => entry);
    const restored = await this.#bucket.restore(entries, { stop: this.#stop });
    restored.forEach((one, index) => this.report.add(lines[index]?.number ?? 0, one));
  }
}

/** Whether a line is wrong; not its bucket, and not the body. */
function isAboutLine(error: unknown): boolean {
  return error instanceof Refusal && error.code !== "bucket_not_found" && !(error instanceof BrokenOff);
}

async function entryOfLine(line: BodyLine, bucket: BucketHandle): Promise<RestoredEntry> {
  if ("bytes" in line) {
    const entry = entryOf(await parseJsonInPieces(line.bytes));
    const value = bytesOf(entry.value);
    return value.byteLength <= CHUNK_BYTES ? entry : { ...entry, value: await bucket.upload([value]) };
  }
  if (!BASE64_LAST.test(new TextDecoder().decode(line.head))) {
    throw new KvError("body_invalid", 'In a line of this length "base64" comes last.');
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
