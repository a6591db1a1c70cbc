/** `POST …/import?onError`: entries of an export, one a line. */

import { breath } from "../lib/breath.ts";
import { isLarge } from "../store/large-values.ts";
import type { RestoredEntry } from "../store/restore.ts";
import { Transfer } from "../directory/transfer.ts";
import { failure, failureOf, KvError } from "../model/errors.ts";
import { CHUNK_BYTES } from "../model/limits.ts";
import { Refusal } from "../otp/exit.ts";
import { BrokenOff } from "../directory/received.ts";
import { READ, type BucketCall } from "../directory/directory.ts";
import { bytesOf } from "../model/value.ts";
import { checkQuery, parseJson, parseJsonInPieces } from "../schema/check.ts";
import { entryOf } from "../schema/entry-line.ts";
import { ImportQuery } from "../schema/requests.ts";
import { bytesOfBase64 } from "./base64-pieces.ts";
import { piecesOf } from "./body.ts";
import type { Context } from "./context.ts";
import { ImportReport } from "./import-report.ts";
import { bucketNotFound } from "./keys.ts";
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
  const { directory, target, keepAlive } = context;
  const name = target.bucket;
  const { onError = "stop" } = checkQuery(ImportQuery, target.query);
  // All lines go to the bucket that the first one went to.
  const ask = directory.whereis(name);
  if ((await ask((bucket) => bucket.totals(), READ)) === undefined) throw bucketNotFound(name);
  const lines = new Import(name, ask, keepAlive, { stop: onError === "stop" });
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
    return problem(failure("upload_lost", BROKEN_OFF), {}, report.summary());
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
  readonly #name: string;
  readonly #ask: BucketCall;
  readonly #transfer: Transfer;
  readonly #stop: boolean;
  readonly #group: { readonly number: number; readonly entry: RestoredEntry }[] = [];
  #bytes = 0;

  constructor(
    name: string,
    ask: BucketCall,
    keepAlive: Context["keepAlive"],
    { stop }: { readonly stop: boolean },
  ) {
    this.#name = name;
    this.#ask = ask;
    this.#transfer = new Transfer(ask, keepAlive);
    this.#stop = stop;
  }

  /** Whether a line was wrong that no other may follow. */
  get stopped(): boolean {
    return this.#stop && this.report.failed > 0;
  }

  /** @throws {BrokenOff} */
  async add(line: BodyLine): Promise<void> {
    try {
      const entry = await entryOfLine(line, this.#transfer);
      if (entry === undefined) throw bucketNotFound(this.#name);
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
    const restored = await this.#ask((bucket) => bucket.restore(entries, { stop: this.#stop }));
    if (restored === undefined) throw bucketNotFound(this.#name);
    restored.forEach((one, index) => this.report.add(lines[index]?.number ?? 0, one));
  }
}

/** Whether a line is wrong; not its bucket, and not the body. */
function isAboutLine(error: unknown): boolean {
  return error instanceof Refusal && error.code !== "bucket_not_found" && !(error instanceof BrokenOff);
}

async function entryOfLine(line: BodyLine, transfer: Transfer): Promise<RestoredEntry | undefined> {
  if ("bytes" in line) {
    const entry = entryOf(await parseJsonInPieces(line.bytes));
    const value = bytesOf(entry.value);
    if (value.byteLength <= CHUNK_BYTES) return entry;
    return withValue(entry, await transfer.take([value]));
  }
  if (!BASE64_LAST.test(new TextDecoder().decode(line.head))) {
    throw new KvError("body_invalid", 'In a line of this length "base64" comes last.');
  }
  const entry = entryOf(parseJson(await new Blob([line.head, '"}']).arrayBuffer()));
  const value = await transfer.take(bytesOfBase64(line.rest));
  try {
    await line.end();
  } catch (error) {
    if (value !== undefined && isLarge(value)) transfer.abandon(value.large);
    throw error;
  }
  return withValue(entry, value);
}

function withValue(
  entry: RestoredEntry,
  value: RestoredEntry["value"] | undefined,
): RestoredEntry | undefined {
  return value === undefined ? undefined : { ...entry, value };
}
