/** `kv create`, `kv buckets`, `kv lookup`, `kv stop`. */

import { Option, type Command } from "commander";
import type { BucketInfo, BucketOptions } from "../../client/index.ts";
import { stringifyJson } from "../../client/stringify-json.ts";
import { withoutUndefined, parseJsonArgument, type Json } from "../arguments.ts";
import { ExitError, EXIT } from "../exit.ts";
import { withExamples } from "../help.ts";
import { writeJson, writeRow } from "../output.ts";
import { globals, serviceOf } from "../service.ts";
import { keyText } from "../value-text.ts";

interface CreateOptions {
  readonly restart?: "permanent" | "temporary";
  readonly location?: string;
  readonly jurisdiction?: string;
  readonly metadata?: Json;
}

export function addCreate(kv: Command): void {
  const command = kv
    .command("create <bucket>")
    .description("create a bucket, unless it exists")
    .addOption(
      new Option(
        "--restart <kind>",
        "permanent: restarted after an exit signal or a crash; temporary: ends",
      ).choices(["permanent", "temporary"]),
    )
    .option("--location <hint>", "region to create it in: weur, enam …")
    .option("--jurisdiction <name>", "jurisdiction that it must not leave: eu, us, fedramp …")
    .option("--metadata <json>", "any JSON to store with it", parseJsonArgument)
    .action(async (name: string, options: CreateOptions) => {
      const { location: locationHint, restart, jurisdiction, metadata } = options;
      const settings = withoutUndefined({
        restart,
        locationHint,
        jurisdiction,
        metadata: metadata?.json,
      }) as BucketOptions;
      const bucket = await serviceOf(command).create(name, settings);
      if (globals(command).json) await writeJson(command, bucket);
    });
  withExamples(command, {
    "kv create shopping": "",
    "kv create errands --restart temporary": "its data is deleted when it ends, as in the guide",
  });
}

export function addBuckets(kv: Command): void {
  const command = kv
    .command("buckets")
    .description("list buckets in the order of their names, without waking them")
    .option("--prefix <prefix>", "only names with this prefix")
    .option("--long", "add status, restart kind, and the last known number of entries and bytes")
    .action(async ({ prefix, long }: { readonly prefix?: string; readonly long?: true }) => {
      for await (const bucket of serviceOf(command).buckets(withoutUndefined({ prefix }))) {
        if (globals(command).json) await writeJson(command, bucket);
        else if (long) await writeRow(command, ...columnsOf(bucket));
        else await writeRow(command, bucket.name);
      }
    });
  withExamples(command, { "kv buckets --prefix shop": "", "kv buckets --json | jq -r .name": "" });
}

export function addLookup(kv: Command): void {
  const command = kv
    .command("lookup <bucket>")
    .description("describe a bucket")
    .action(async (name: string) => {
      const bucket = await serviceOf(command).lookup(name);
      if (bucket === undefined) throw noBucket(name);
      if (globals(command).json) return writeJson(command, bucket);
      for (const [member, value] of Object.entries(bucket)) {
        await writeRow(command, member, typeof value === "string" ? keyText(value) : stringifyJson(value));
      }
    });
  withExamples(command, { "kv lookup shopping": "", "kv lookup shopping --json | jq .entries": "" });
}

export function addStop(kv: Command): void {
  const command = kv
    .command("stop <bucket>")
    .description("stop a bucket: delete its data and free its name")
    .action(async (name: string) => {
      if (!(await serviceOf(command).stop(name))) throw noBucket(name);
    });
  withExamples(command, { "kv stop shopping": "" });
}

export function noBucket(name: string): ExitError {
  return new ExitError(EXIT.notFound, `kv: There is no bucket ${name}.`);
}

function columnsOf({ name, status, restart, entries, bytes }: BucketInfo): string[] {
  return [name, status, restart, String(entries ?? "-"), String(bytes ?? "-")];
}
