/** Imports a file or stdin into one bucket, with progress and a limit on the time without it. */

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Command } from "commander";
import { ImportStoppedError, type Bucket, type ImportResult } from "../client/index.ts";
import { withoutUndefined } from "./arguments.ts";
import { ExitError, EXIT } from "./exit.ts";
import { IdleTimeout } from "./idle-timeout.ts";
import { writeMessage } from "./output.ts";
import { processOf } from "./process.ts";
import { Meter, metered } from "./progress.ts";
import { openStdin } from "./stdin.ts";

export interface ImportLimits {
  readonly onError: "stop" | "continue" | undefined;
  readonly partBytes: number | undefined;
  /** The longest time without progress, in milliseconds. */
  readonly timeoutMs: number;
  /** Aborted when the user interrupts the command. */
  readonly interrupted: AbortSignal;
}

const REPEAT = "Importing the same again changes nothing.";

/** @param from a file's name, or `-` for stdin @throws {ExitError} if an invalid line stops the import */
export async function importFile(
  command: Command,
  bucket: Bucket,
  from: string,
  { onError, partBytes, timeoutMs, interrupted }: ImportLimits,
): Promise<ImportResult> {
  // Only a plain file has a size; a pipe, for example, has none.
  const info = from === "-" ? undefined : await stat(from);
  const source = from === "-" ? openStdin(command) : createReadStream(from);
  const meter = new Meter(command, "bytes", info?.isFile() ? info.size : undefined);
  let unreadable: unknown;
  const pieces = metered(
    noting(source as AsyncIterable<Uint8Array>, (error) => (unreadable = error)),
    meter,
    (piece) => piece.byteLength,
  );
  const idle = new IdleTimeout(timeoutMs, interrupted);
  let known: ImportResult | undefined;
  try {
    return await bucket.import(streamOf(pieces, idle), {
      ...withoutUndefined({ onError, partBytes }),
      onPart: (soFar) => (known = soFar),
      signal: idle.signal,
      timeoutMs: Infinity,
    });
  } catch (error) {
    meter.end();
    if (error instanceof ImportStoppedError) throw stopped(bucket.name, error);
    // What the requests so far have imported, and the error does not say.
    if (known !== undefined) writeMessage(processOf(command), `kv: So far, ${summaryOf(bucket.name, known)}`);
    if (interrupted.aborted) {
      const why = `kv: ${bucket.name}: Interrupted. Some lines${known ? " after that" : ""} may have been imported. ${REPEAT}`;
      writeMessage(processOf(command), why);
    }
    // Report an error of the file itself; the client only sees an aborted body.
    throw unreadable ?? error;
  } finally {
    idle.pause();
    meter.end();
    // After an early end, the rest of the source is not needed.
    source.destroy();
  }
}

/** The pieces of a source. Notes its own error, and not that it was not read to its end. */
async function* noting(
  source: AsyncIterable<Uint8Array>,
  note: (error: unknown) => void,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* source;
  } catch (error) {
    note(error);
    throw error;
  }
}

/** The pieces as a request body. The timer runs while the service handles a piece, or the end, and does not ask for the next one. */
export function streamOf(
  pieces: AsyncGenerator<Uint8Array, void, void>,
  idle: IdleTimeout,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      idle.pause();
      const { done, value } = await pieces.next();
      idle.restart();
      if (done) controller.close();
      else controller.enqueue(new Uint8Array(value));
    },
    async cancel() {
      await pieces.return();
    },
  });
}

function stopped(bucket: string, { message, details }: ImportStoppedError): ExitError {
  const { imported, unchanged, expired } = details as unknown as ImportResult;
  const before = `${imported} imported, ${unchanged} unchanged, ${expired} expired`;
  return new ExitError(EXIT.refused, `kv: ${bucket}: ${message} (${before})`);
}

export function summaryOf(
  bucket: string,
  { lines, imported, unchanged, expired, failed }: ImportResult,
): string {
  return `${bucket}: ${lines} lines, ${imported} imported, ${unchanged} unchanged, ${expired} expired, ${failed} failed`;
}
