/** Moves the keys of a Workers KV namespace into a bucket, page by page. */

import type { Command } from "commander";
import { ImportStoppedError, KvError, type Bucket, type ImportResult, type Kv } from "../../client/index.ts";
import { withoutUndefined } from "../arguments.ts";
import { noBucket } from "../commands/buckets.ts";
import { ExitError, EXIT } from "../exit.ts";
import { IdleTimeout } from "../idle-timeout.ts";
import { streamOf, type ImportLimits } from "../import-file.ts";
import { writeMessage } from "../output.ts";
import { processOf } from "../process.ts";
import { Meter } from "../progress.ts";
import { lineOf, type Found } from "./entry.ts";

/** Where the old entries come from. */
export interface Source<Key> {
  /** Everything there is, in the order of the pages. */
  readonly keys: readonly Key[];
  readonly nameOf: (key: Key) => string;
  /** Reads these keys' values. */
  readonly pages: (keys: readonly Key[]) => AsyncIterable<readonly Found[]>;
}

export interface MoveOptions extends ImportLimits {
  /** Skips keys that the bucket has already. */
  readonly resume: boolean;
}

export interface Moved extends Pick<ImportResult, "imported" | "unchanged" | "expired" | "failed"> {
  /** All keys of the source. */
  readonly keys: number;
  /** Keys that the bucket had already, with `--resume`. */
  readonly skipped: number;
  /** Keys that were deleted, or had expired, after they were listed. */
  readonly gone: number;
  /** The first 1,000 errors. */
  readonly errors: readonly MoveError[];
}

export interface MoveError {
  readonly key: string;
  readonly detail: string;
}

const MAX_ERRORS = 1_000;
const GO_ON = "Run the same command with --resume to go on.";

/** @throws {ExitError} if the bucket does not exist, or an invalid entry stops the import */
export async function move<Key>(
  command: Command,
  service: Kv,
  bucket: Bucket,
  open: () => Promise<Source<Key>>,
  options: MoveOptions,
): Promise<Moved> {
  const { interrupted: signal } = options;
  const info = await service.lookup(bucket.name, { signal });
  if (info === undefined) throw noBucket(bucket.name);
  const { keys, nameOf, pages } = await open();
  const known = options.resume ? await keysIn(bucket, signal) : new Set<string>();
  const left = keys.filter((key) => !known.has(nameOf(key)));
  let moved: Moved = { ...NONE, keys: keys.length, skipped: keys.length - left.length };
  let done = 0;
  const meter = new Meter(command, "keys", left.length);
  try {
    for await (const page of pages(left)) {
      moved = addedTo(moved, await importPage(bucket, info.incarnation, page, options));
      done += page.length;
      meter.add(page.length);
    }
    return moved;
  } catch (error) {
    meter.end();
    const soFar = `kv: ${summaryOfMove(bucket.name, moved)}. That was ${done} of ${left.length} keys. ${GO_ON}`;
    writeMessage(processOf(command), soFar);
    throw error;
  } finally {
    meter.end();
  }
}

export function summaryOfMove(
  bucket: string,
  { keys, imported, unchanged, expired, failed, skipped, gone }: Moved,
): string {
  return [
    `${bucket}: ${keys} keys`,
    `${imported} imported`,
    `${unchanged} unchanged`,
    `${expired} expired`,
    `${failed} failed`,
    ...(skipped === 0 ? [] : [`${skipped} already in the bucket`]),
    ...(gone === 0 ? [] : [`${gone} deleted meanwhile`]),
  ].join(", ");
}

const NONE: Moved = {
  keys: 0,
  imported: 0,
  unchanged: 0,
  expired: 0,
  failed: 0,
  skipped: 0,
  gone: 0,
  errors: [],
};

async function keysIn(bucket: Bucket, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for await (const { key } of bucket.list({ signal })) keys.add(key);
  return keys;
}

type PageResult = Omit<Moved, "keys" | "skipped">;

/** @param incarnation all pages go to one bucket, and not to the next one of its name */
async function importPage(
  bucket: Bucket,
  incarnation: string,
  page: readonly Found[],
  { onError = "continue", partBytes, timeoutMs, interrupted }: ImportLimits,
): Promise<PageResult> {
  const entries = page.flatMap((found) => (found.kind === "entry" ? [found.entry] : []));
  const unreadable = page.flatMap((found) => (found.kind === "unreadable" ? [found] : []));
  if (onError === "stop" && unreadable[0] !== undefined) throw stoppedAt(bucket, unreadable[0]);
  const keyOf = (line: number): string => entries[line - 1]?.key ?? "";
  const idle = new IdleTimeout(timeoutMs, interrupted);
  try {
    const limits = { incarnation, signal: idle.signal, timeoutMs: Infinity };
    const lines = streamOf(encoded(entries.map((entry) => () => lineOf(entry))), idle);
    const result =
      entries.length === 0
        ? NONE
        : await bucket.import(lines, { onError, ...withoutUndefined({ partBytes }), ...limits });
    const refused =
      "lines" in result ? result.errors.map(({ line, detail }) => ({ key: keyOf(line), detail })) : [];
    return {
      ...NONE,
      ...result,
      failed: result.failed + unreadable.length,
      gone: page.length - entries.length - unreadable.length,
      errors: [...refused, ...unreadable.map(({ key, detail }) => ({ key, detail }))],
    };
  } catch (error) {
    if (hasEnded(error)) throw ended(bucket.name);
    if (!(error instanceof ImportStoppedError)) throw error;
    const { errors } = error.details as unknown as ImportResult;
    const [first] = errors;
    throw stoppedAt(bucket, { key: keyOf(first?.line ?? 0), detail: first?.detail ?? error.message });
  } finally {
    idle.pause();
  }
}

async function* encoded(lines: readonly (() => string)[]): AsyncGenerator<Uint8Array, void, void> {
  for (const line of lines) yield new TextEncoder().encode(line());
}

function hasEnded(error: unknown): boolean {
  return error instanceof KvError && ["bucket_not_found", "bucket_changed"].includes(error.code);
}

function ended(bucket: string): ExitError {
  return new ExitError(
    EXIT.notFound,
    `kv: The bucket ${bucket} has ended meanwhile, with what was moved into it.`,
  );
}

function stoppedAt(bucket: Bucket, { key, detail }: MoveError): ExitError {
  return new ExitError(EXIT.refused, `kv: ${bucket.name}, key ${JSON.stringify(key)}: ${detail}`);
}

function addedTo(sum: Moved, page: PageResult): Moved {
  return {
    ...sum,
    imported: sum.imported + page.imported,
    unchanged: sum.unchanged + page.unchanged,
    expired: sum.expired + page.expired,
    failed: sum.failed + page.failed,
    gone: sum.gone + page.gone,
    errors: [...sum.errors, ...page.errors].slice(0, MAX_ERRORS),
  };
}
