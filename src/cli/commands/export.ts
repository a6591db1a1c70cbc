/** `kv export`. */

import { join } from "node:path";
import type { Command } from "commander";
import { BucketNotFoundError, type Kv } from "../../client/index.ts";
import { linesIn } from "../../client/parts.ts";
import { withoutUndefined } from "../arguments.ts";
import { usage } from "../exit.ts";
import { beginExport, listEntryOf, writeList, type ListedBucket } from "../export-folder.ts";
import { withExamples } from "../help.ts";
import { untilInterrupted } from "../interrupt.ts";
import { write, writeJson, writeLine } from "../output.ts";
import { withIdleTimeout, IdleTimeout } from "../idle-timeout.ts";
import { Meter, metered } from "../progress.ts";
import { globals, serviceOf } from "../service.ts";
import { writeWhole } from "../whole-file.ts";
import { noBucket } from "./buckets.ts";

interface ExportOptions {
  readonly all?: string;
  readonly prefix?: string;
}

export function addExport(kv: Command): void {
  const command = kv
    .command("export [bucket] [file]")
    .description("write a bucket's entries as NDJSON, one per line, to a file or stdout")
    .option("--all <folder>", "export all buckets into this folder, one file each")
    .option("--prefix <prefix>", "only keys with this prefix")
    .action((name: string | undefined, file: string | undefined, options: ExportOptions) =>
      // On Ctrl-C, a half-written file is removed before the command ends.
      untilInterrupted(command, (signal) => {
        const limits = { timeoutMs: globals(command).timeout * 1_000, signal };
        return options.all === undefined
          ? exportOne(command, name, file, { ...limits, prefix: options.prefix })
          : exportEverything(command, name, options, limits);
      }),
    );
  withExamples(command, {
    "kv export shopping > shopping.ndjson": "",
    "kv export shopping shopping.ndjson": "the file appears when it is complete",
    "kv export --all backup/": "",
  });
}

interface Limits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

async function exportOne(
  command: Command,
  name: string | undefined,
  file: string | undefined,
  options: Limits & { readonly prefix: string | undefined },
): Promise<void> {
  if (name === undefined) throw usage("Give a bucket, or --all with a folder.");
  const service = serviceOf(command);
  const info = await service.lookup(name, { signal: options.signal });
  if (info === undefined) throw noBucket(name);
  const meter = new Meter(command, "entries", options.prefix === undefined ? info.entries : undefined);
  const lines = metered(await entriesOf(service, name, options), meter, linesIn);
  if (file !== undefined && file !== "-") return writeWhole(file, lines);
  for await (const piece of lines) await write(command, piece);
}

async function exportEverything(
  command: Command,
  name: string | undefined,
  { all = "", prefix }: ExportOptions,
  limits: Limits,
): Promise<void> {
  if (name !== undefined || prefix !== undefined)
    throw usage("--all can't be combined with a bucket or --prefix.");
  const buckets = await exportAll(command, all, limits);
  if (globals(command).json) return writeJson(command, { buckets });
  return writeLine(command, `${buckets} ${buckets === 1 ? "bucket" : "buckets"} in ${all}`);
}

/** @returns the number of exported buckets */
async function exportAll(command: Command, folder: string, limits: Limits): Promise<number> {
  const service = serviceOf(command);
  await beginExport(folder);
  const buckets: ListedBucket[] = [];
  for await (const bucket of service.buckets({ signal: limits.signal })) buckets.push(listEntryOf(bucket));
  const meter = new Meter(command, "buckets", buckets.length);
  const written: ListedBucket[] = [];
  for (const bucket of buckets) {
    try {
      await writeWhole(join(folder, bucket.file), await entriesOf(service, bucket.name, limits));
      written.push(bucket);
    } catch (error) {
      // The bucket has ended since it was listed.
      if (!(error instanceof BucketNotFoundError)) throw error;
    }
    meter.add(1);
  }
  meter.end();
  await writeList(folder, written);
  return written.length;
}

/** The bucket's lines. Only the service's silence counts as idle time, not that of a slow reader. */
async function entriesOf(
  service: Kv,
  bucket: string,
  { prefix, timeoutMs, signal: interrupted }: Limits & { readonly prefix?: string | undefined },
): Promise<AsyncIterable<Uint8Array>> {
  const idle = new IdleTimeout(timeoutMs, interrupted);
  const { signal } = idle;
  return withIdleTimeout(
    await service.bucket(bucket).export({ ...withoutUndefined({ prefix }), signal }),
    idle,
  );
}
