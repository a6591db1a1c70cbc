/** `kv export`. */

import { join } from "node:path";
import type { Command } from "commander";
import { BucketNotFoundError, type Kv } from "../../client/index.ts";
import { given } from "../arguments.ts";
import { usage } from "../exit.ts";
import { beginExport, listed, writeList, type ListedBucket } from "../export-folder.ts";
import { withExamples } from "../help.ts";
import { untilInterrupted } from "../interrupt.ts";
import { write, writeJson, writeLine } from "../output.ts";
import { awaited, Patience } from "../patience.ts";
import { linesIn, Meter, metered } from "../progress.ts";
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
    .description("write a bucket's entries as NDJSON, one a line, to a file or stdout")
    .option("--all <folder>", "the whole service instead: a file for each bucket")
    .option("--prefix <prefix>", "only keys that begin like this")
    .action((name: string | undefined, file: string | undefined, options: ExportOptions) =>
      // What is half written is removed before the end.
      untilInterrupted(command, (signal) => {
        const limits = { timeoutMs: globals(command).timeout * 1_000, signal };
        return options.all === undefined
          ? exportOne(command, name, file, { ...limits, prefix: options.prefix })
          : exportEverything(command, name, options, limits);
      }),
    );
  withExamples(command, {
    "kv export shopping > shopping.ndjson": "",
    "kv export shopping shopping.ndjson": "the file is there when it is whole, and not before",
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
  if (name === undefined) throw usage("Name a bucket, or a folder with --all.");
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
  if (name !== undefined || prefix !== undefined) throw usage("--all goes without a bucket and --prefix.");
  const buckets = await exportAll(command, all, limits);
  if (globals(command).json) return writeJson(command, { buckets });
  return writeLine(command, `${buckets} ${buckets === 1 ? "bucket" : "buckets"} in ${all}`);
}

/** @returns how many buckets there are */
async function exportAll(command: Command, folder: string, limits: Limits): Promise<number> {
  const service = serviceOf(command);
  await beginExport(folder);
  const buckets: ListedBucket[] = [];
  for await (const bucket of service.buckets({ signal: limits.signal })) buckets.push(listed(bucket));
  const meter = new Meter(command, "buckets", buckets.length);
  const written: ListedBucket[] = [];
  for (const bucket of buckets) {
    try {
      await writeWhole(join(folder, bucket.file), await entriesOf(service, bucket.name, limits));
      written.push(bucket);
    } catch (error) {
      // It has ended since it was listed.
      if (!(error instanceof BucketNotFoundError)) throw error;
    }
    meter.add(1);
  }
  meter.end();
  await writeList(folder, written);
  return written.length;
}

/** The lines of a bucket. Whoever takes them may take their time, the service may not. */
async function entriesOf(
  service: Kv,
  bucket: string,
  { prefix, timeoutMs, signal: interrupted }: Limits & { readonly prefix?: string | undefined },
): Promise<AsyncIterable<Uint8Array>> {
  const patience = new Patience(timeoutMs, interrupted);
  const { signal } = patience;
  return awaited(await service.bucket(bucket).export({ ...given({ prefix }), signal }), patience);
}
