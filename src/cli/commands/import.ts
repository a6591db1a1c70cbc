/** `kv import`. */

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Option, type Command } from "commander";
import { ImportStoppedError, type Bucket, type ImportResult } from "../../client/index.ts";
import { given } from "../arguments.ts";
import { Ended, EXIT, usage } from "../exit.ts";
import { readList } from "../export-folder.ts";
import { withExamples } from "../help.ts";
import { say, writeJson, writeLine } from "../output.ts";
import { Patience } from "../patience.ts";
import { processOf } from "../process.ts";
import { Meter, metered } from "../progress.ts";
import { globals, serviceOf } from "../service.ts";
import { openStdin } from "../stdin.ts";

/**
 * How long an import may get nowhere, in milliseconds, unless it is said: what is between may take in all of it before it
 * hands it on.
 */
const PATIENCE_MS = 3_600_000;

interface ImportOptions {
  readonly all?: string;
  readonly onError?: "stop" | "continue";
}

export function addImport(kv: Command): void {
  const command = kv
    .command("import [bucket] [file]")
    .description("bring an export back, from a file or stdin; to do it again changes nothing")
    .option("--all <folder>", "the whole service instead: what export --all has written")
    .addOption(
      new Option("--on-error <what>", "what to do at a line that is wrong (stop)").choices([
        "stop",
        "continue",
      ]),
    )
    .action(async (name: string | undefined, file: string | undefined, options: ImportOptions) => {
      const service = serviceOf(command);
      const { json, timeout } = globals(command);
      const isSaid = command.getOptionValueSourceWithGlobals("timeout") !== "default";
      const timeoutMs = isSaid ? timeout * 1_000 : PATIENCE_MS;
      const bring = async (bucket: string, from: string): Promise<void> => {
        const result = await importOne(command, service.bucket(bucket), {
          from,
          onError: options.onError,
          timeoutMs,
        });
        await (json
          ? writeJson(command, { bucket, ...result })
          : writeLine(command, summaryOf(bucket, result)));
        for (const { line, detail } of result.errors) {
          say(processOf(command), `kv: ${bucket}, line ${line}: ${detail}`);
        }
        if (result.failed > 0) processOf(command).exitCode = EXIT.refused;
      };
      if (options.all === undefined) {
        if (name === undefined) throw usage("Name a bucket, or a folder with --all.");
        return bring(name, file ?? "-");
      }
      if (name !== undefined) throw usage("--all goes without a bucket.");
      const folder = options.all;
      const list = await readList(folder);
      // Nothing is made before all of it is there.
      await Promise.all(list.map(({ file: source }) => stat(join(folder, source))));
      for (const { name: bucket, file: source, ...settings } of list) {
        await service.create(bucket, settings);
        await bring(bucket, join(folder, source));
      }
    });
  withExamples(command, {
    "kv import shopping shopping.ndjson": "",
    "kv export shopping | kv import pantry": "into a bucket that is there",
    "kv import --all backup/": "buckets that are missing are created",
    "kv import shopping list.ndjson --on-error continue": "all lines that are right",
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
  // What is not a plain file, a pipe for example, does not know its size.
  const info = from === "-" ? undefined : await stat(from);
  const source = from === "-" ? openStdin(command) : createReadStream(from);
  const meter = new Meter(command, "bytes", info?.isFile() ? info.size : undefined);
  const pieces = metered(source as AsyncIterable<Uint8Array>, meter, (piece) => piece.byteLength);
  const patience = new Patience(timeoutMs);
  try {
    const options = { ...given({ onError }), signal: patience.signal, timeoutMs: Infinity };
    return await bucket.import(streamOf(pieces, patience), options);
  } catch (error) {
    // The file's own failure, which is only seen as a body that breaks off.
    if (source.errored) throw source.errored;
    if (error instanceof ImportStoppedError)
      throw new Ended(EXIT.refused, `kv: ${bucket.name}: ${error.message}`);
    throw error;
  } finally {
    patience.rest();
    meter.end();
    // Where it stopped early, nobody reads on.
    source.destroy();
  }
}

/** It is the service's turn while it has a piece, or all of them, and does not ask for another one. */
function streamOf(
  pieces: AsyncGenerator<Uint8Array, void, void>,
  patience: Patience,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      patience.rest();
      const { done, value } = await pieces.next();
      patience.begin();
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
