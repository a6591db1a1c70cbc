/** `kv create`, `kv buckets`, `kv lookup`, `kv stop`. */

import { Option, type Command } from "commander";
import type { BucketInfo, BucketOptions } from "../../client/index.ts";
import { jsonText } from "../../client/json-text.ts";
import { given, json, type Json } from "../arguments.ts";
import { Ended, EXIT } from "../exit.ts";
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
    .description("ensure that there is a bucket")
    .addOption(
      new Option(
        "--restart <kind>",
        "permanent: it survives an exit and a crash; temporary: it does not",
      ).choices(["permanent", "temporary"]),
    )
    .option("--location <hint>", "where on earth: weur, enam …")
    .option("--jurisdiction <name>", "eu, fedramp …")
    .option("--metadata <json>", "what is kept beside it", json)
    .action(async (name: string, options: CreateOptions) => {
      const { location: locationHint, restart, jurisdiction, metadata } = options;
      const settings = given({
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
    "kv create errands --restart temporary": "gone when it ends, as in the guide",
  });
}

export function addBuckets(kv: Command): void {
  const command = kv
    .command("buckets")
    .description("list buckets in the order of their names, waking none")
    .option("--prefix <prefix>", "only names that begin like this")
    .option("--long", "with status, restart kind, entries and bytes, as last heard of")
    .action(async ({ prefix, long }: { readonly prefix?: string; readonly long?: true }) => {
      for await (const bucket of serviceOf(command).buckets(given({ prefix }))) {
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
    .description("tell what is known of a bucket")
    .action(async (name: string) => {
      const bucket = await serviceOf(command).lookup(name);
      if (bucket === undefined) throw noBucket(name);
      if (globals(command).json) return writeJson(command, bucket);
      for (const [member, value] of Object.entries(bucket)) {
        await writeRow(command, member, typeof value === "string" ? keyText(value) : jsonText(value));
      }
    });
  withExamples(command, { "kv lookup shopping": "", "kv lookup shopping --json | jq .entries": "" });
}

export function addStop(kv: Command): void {
  const command = kv
    .command("stop <bucket>")
    .description("end a bucket: its data is gone, its name free")
    .action(async (name: string) => {
      if (!(await serviceOf(command).stop(name))) throw noBucket(name);
    });
  withExamples(command, { "kv stop shopping": "" });
}

export function noBucket(name: string): Ended {
  return new Ended(EXIT.notFound, `kv: There is no bucket ${name}.`);
}

function columnsOf({ name, status, restart, entries, bytes }: BucketInfo): string[] {
  return [name, status, restart, String(entries ?? "-"), String(bytes ?? "-")];
}
