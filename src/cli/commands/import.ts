/** `kv import`. */

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Option, type Command } from "commander";
import {
  ImportStoppedError,
  type Bucket,
  type BucketOptions,
  type ImportResult,
} from "../../client/index.ts";
import { withoutUndefined } from "../arguments.ts";
import { ExitError, EXIT, usage } from "../exit.ts";
import { readList } from "../export-folder.ts";
import { withExamples } from "../help.ts";
import { writeMessage, writeJson, writeLine } from "../output.ts";
import { IdleTimeout } from "../idle-timeout.ts";
import { processOf } from "../process.ts";
import { Meter, metered } from "../progress.ts";
import { globals, serviceOf } from "../service.ts";
import { openStdin } from "../stdin.ts";

/**
 * Default limit without progress, in milliseconds. It is long because a proxy may buffer the whole upload before it
 * passes it on.
 */
const DEFAULT_IDLE_TIMEOUT_MS = 3_600_000;

interface ImportOptions {
  readonly all?: string;
  readonly onError?: "stop" | "continue";
}

export function addImport(kv: Command): void {
  const command = kv
    .command("import [bucket] [file]")
    .description("import an export from a file or stdin; repeating it changes nothing")
    .option("--all <folder>", "import all buckets of a folder that export --all has written")
    .addOption(
      new Option("--on-error <what>", "what to do at an invalid line (default: stop)").choices([
        "stop",
        "continue",
      ]),
    )
    .action(async (name: string | undefined, file: string | undefined, options: ImportOptions) => {
      const service = serviceOf(command);
      const { json, timeout } = globals(command);
      const isGiven = command.getOptionValueSourceWithGlobals("timeout") !== "default";
      const timeoutMs = isGiven ? timeout * 1_000 : DEFAULT_IDLE_TIMEOUT_MS;
      const importFile = async (bucket: string, from: string): Promise<void> => {
        const result = await importOne(command, service.bucket(bucket), {
          from,
          onError: options.onError,
          timeoutMs,
        });
        await (json
          ? writeJson(command, { bucket, ...result })
          : writeLine(command, summaryOf(bucket, result)));
        for (const { line, detail } of result.errors) {
          writeMessage(processOf(command), `kv: ${bucket}, line ${line}: ${detail}`);
        }
        if (result.failed > 0) processOf(command).exitCode = EXIT.refused;
      };
      if (options.all === undefined) {
        if (name === undefined) throw usage("Give a bucket, or --all with a folder.");
        return importFile(name, file ?? "-");
      }
      if (name !== undefined) throw usage("--all can't be combined with a bucket.");
      const folder = options.all;
      const list = await readList(folder);
      // Check that all files exist before anything is created.
      await Promise.all(list.map(({ file: source }) => stat(join(folder, source))));
      for (const { name: bucket, file: source, ...settings } of list) {
        // From a file: the service checks them.
        await service.create(bucket, settings as BucketOptions);
        await importFile(bucket, join(folder, source));
      }
    });
  withExamples(command, {
    "kv import shopping shopping.ndjson": "",
    "kv export shopping | kv import pantry": "into an existing bucket",
    "kv import --all backup/": "creates missing buckets",
    "kv import shopping list.ndjson --on-error continue": "skips invalid lines",
  });
}

interface ImportFrom {
  readonly from: string;
  readonly onError: ImportOptions["onError"];
  readonly timeoutMs: number;
}

async function importOne(
  command: Command,
  bucket: Bucket,
  { from, onError, timeoutMs }: ImportFrom,
): Promise<ImportResult> {
  // Only a plain file has a size; a pipe, for example, has none.
  const info = from === "-" ? undefined : await stat(from);
  const source = from === "-" ? openStdin(command) : createReadStream(from);
  const meter = new Meter(command, "bytes", info?.isFile() ? info.size : undefined);
  const pieces = metered(source as AsyncIterable<Uint8Array>, meter, (piece) => piece.byteLength);
  const idle = new IdleTimeout(timeoutMs);
  try {
    const options = { ...withoutUndefined({ onError }), signal: idle.signal, timeoutMs: Infinity };
    return await bucket.import(streamOf(pieces, idle), options);
  } catch (error) {
    // Report an error of the file itself; the client only sees an aborted body.
    if (source.errored) throw source.errored;
    if (error instanceof ImportStoppedError)
      throw new ExitError(EXIT.refused, `kv: ${bucket.name}: ${error.message}`);
    throw error;
  } finally {
    idle.pause();
    meter.end();
    // After an early end, the rest of the source is not needed.
    source.destroy();
  }
}

/** The timer runs while the service handles a piece, or the end, and does not ask for the next one. */
function streamOf(
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

function summaryOf(bucket: string, { lines, imported, unchanged, expired, failed }: ImportResult): string {
  return `${bucket}: ${lines} lines, ${imported} imported, ${unchanged} unchanged, ${expired} expired, ${failed} failed`;
}
