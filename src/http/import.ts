/** `POST …/import?onError`: entries of an export, one a line. */

import { isLarge } from "../bucket/large-values.ts";
import type { Restored, RestoredEntry } from "../bucket/restore.ts";
import { Transfer } from "../bucket/transfer.ts";
import { failure, failureOf, KvError, type Failure } from "../errors.ts";
import { CHUNK_BYTES, MAX_DISCARDED_BYTES } from "../limits.ts";
import { Refusal } from "../otp/exit.ts";
import { bytesOf } from "../value.ts";
import { checkQuery, parseJson } from "../wire/check.ts";
import { entryOf } from "../wire/entry-line.ts";
import { ImportQuery } from "../wire/requests.ts";
import { bodyOf } from "./body.ts";
import type { Context } from "./context.ts";
import { bucketNotFound } from "./keys.ts";
import { bytesOfBase64 } from "./base64-pieces.ts";
import { bodyLines, MAX_WHOLE_LINE, type BodyLine } from "./ndjson.ts";
import { problem } from "./problem.ts";

/** Entries, and bytes of their values, that travel together. */
const GROUP_ENTRIES = 256;
const GROUP_BYTES = 1_048_576;
const BASE64_LAST = /"base64"\s*:\s*"$/;
/** Errors that are told of; `failed` counts all of them. */
const MAX_ERRORS = 1_000;

const BROKEN = Symbol("the body broke off");
const BROKEN_OFF =
  "The body broke off. The lines before that are imported: send it again, and they are found unchanged.";

interface Line {
  readonly number: number;
  readonly entry: RestoredEntry;
}

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
  if ((await ask((bucket) => bucket.totals())) === undefined) throw bucketNotFound(name);
  const transfer = new Transfer(ask, keepAlive);
  const stop = onError === "stop";
  const restore = async (entries: readonly RestoredEntry[]): Promise<Restored[]> => {
    const restored = await ask((bucket) => bucket.restore(entries, { stop }));
    if (restored === undefined) throw bucketNotFound(name);
    return restored;
  };
  const report = new Report();
  const group: Line[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    const lines = group.splice(0);
    bytes = 0;
    if (lines.length === 0) return;
    const restored = await restore(lines.map(({ entry }) => entry));
    restored.forEach((one, index) => report.add(lines[index]?.number ?? 0, one));
  };
  let stopped = false;
  let discarded = 0;
  for await (const line of orBroken(bodyLines(bodyOf(request)))) {
    if (line === BROKEN) {
      await flush();
      return problem(failure("upload_lost", BROKEN_OFF), {}, report.summary());
    }
    if (stopped) {
      discarded += "bytes" in line ? line.bytes.byteLength : MAX_WHOLE_LINE;
      if (discarded > MAX_DISCARDED_BYTES) break;
      continue;
    }
    report.lines = line.number;
    try {
      const entry = await entryOfLine(line, transfer);
      if (entry === undefined) throw bucketNotFound(name);
      group.push({ number: line.number, entry });
      // A large value waits for its entry, and not for long: it goes at once.
      bytes += isLarge(entry.value) ? GROUP_BYTES : bytesOf(entry.value).byteLength;
    } catch (error) {
      if (!(error instanceof Refusal) || error.code === "bucket_not_found") throw error;
      await flush();
      report.add(line.number, failureOf(error));
    }
    if (group.length >= GROUP_ENTRIES || bytes >= GROUP_BYTES) await flush();
    stopped = stop && report.failed > 0;
  }
  await flush();
  if (!stop || report.failed === 0) return Response.json(report.summary());
  const [first] = report.errors;
  const why = `Line ${first?.line}: ${first?.detail} The lines before it are imported, those behind it are not.`;
  return problem(failure("import_stopped", why), {}, { line: first?.line, ...report.summary() });
}

/** The lines of a body, and a last sign where it does not come to its end. */
async function* orBroken(
  lines: AsyncIterable<BodyLine>,
): AsyncGenerator<BodyLine | typeof BROKEN, void, void> {
  try {
    yield* lines;
  } catch (error) {
    if (!(error instanceof Refusal && error.code === "upload_lost")) throw error;
    yield BROKEN;
  }
}

async function entryOfLine(line: BodyLine, transfer: Transfer): Promise<RestoredEntry | undefined> {
  if ("bytes" in line) {
    const entry = entryOf(parseJson(line.bytes));
    const value = bytesOf(entry.value);
    if (value.byteLength <= CHUNK_BYTES) return entry;
    return withValue(entry, await transfer.take([value]));
  }
  const head = new TextDecoder().decode(line.head);
  if (!BASE64_LAST.test(head)) {
    throw new KvError("body_invalid", 'In a line of this length "base64" comes last.');
  }
  const entry = entryOf(parseJson(new TextEncoder().encode(`${head}"}`)));
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

class Report {
  lines = 0;
  failed = 0;
  readonly #counts = { imported: 0, unchanged: 0, expired: 0 };
  readonly errors: { readonly line: number; readonly code: string; readonly detail: string }[] = [];

  add(line: number, restored: Restored): void {
    if (typeof restored === "string") {
      this.#counts[restored] += 1;
      return;
    }
    this.failed += 1;
    const { code, detail }: Failure = restored;
    if (this.errors.length < MAX_ERRORS) this.errors.push({ line, code, detail });
  }

  summary(): Record<string, unknown> {
    return { lines: this.lines, ...this.#counts, failed: this.failed, errors: this.errors };
  }
}
