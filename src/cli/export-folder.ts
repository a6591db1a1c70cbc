/** The folder of `kv export --all`: one NDJSON file per bucket, and a list of the buckets. */

import { createHash } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BucketInfo } from "../client/index.ts";
import { ExitError, EXIT } from "./exit.ts";
import { withoutUndefined } from "./arguments.ts";
import { writeWhole } from "./whole-file.ts";

/** Removed first and written last: a folder without it is an incomplete export. */
const LIST = "buckets.json";
/** Most characters of a bucket's name in its file name: with a hash and the extension, it fits every file system. */
const MAX_NAME = 180;

/** A bucket's options as it was described, and the file with its entries. */
export interface ListedBucket extends Pick<
  BucketInfo,
  "name" | "restart" | "jurisdiction" | "locationHint" | "metadata"
> {
  readonly file: string;
}

/** Names that Windows treats as devices, whatever follows the first dot. */
const DEVICES = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/;

/** A bucket's file name: valid and distinct on every file system, also on case-insensitive ones. */
export function fileNameOf(bucket: string): string {
  return plainFileNameOf(bucket).replace(DEVICES, (device) => percent(device.slice(0, 1)) + device.slice(1));
}

/** The file name that version 0.1 used: without the treatment of device names. */
function plainFileNameOf(bucket: string): string {
  const safe = bucket.replaceAll(/[^a-z0-9._-]|^[.-]/g, percent);
  if (safe.length <= MAX_NAME) return `${safe}.ndjson`;
  const hash = createHash("sha256").update(bucket).digest("hex").slice(0, 16);
  return `${safe.slice(0, MAX_NAME)}~${hash}.ndjson`;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/** The bucket's entry in the list, with all that an import needs to create it again. */
export function listEntryOf({
  name,
  restart,
  jurisdiction,
  locationHint,
  metadata,
}: BucketInfo): ListedBucket {
  return {
    name,
    file: fileNameOf(name),
    restart,
    ...withoutUndefined({ jurisdiction, locationHint, metadata }),
  };
}

/** Creates the folder and removes its list: until the list is written again, the export is incomplete. */
export async function beginExport(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await rm(join(folder, LIST), { force: true });
}

export async function writeList(folder: string, buckets: readonly ListedBucket[]): Promise<void> {
  await writeWhole(join(folder, LIST), [`${JSON.stringify({ buckets }, null, 2)}\n`]);
}

/** @throws {ExitError} if the list is missing or malformed */
export async function readList(folder: string): Promise<readonly ListedBucket[]> {
  const path = join(folder, LIST);
  const text = await readFile(path, "utf8").catch(() => {
    throw new ExitError(
      EXIT.usage,
      `error: ${path} can't be read: ${folder} is not an export, or an incomplete one.`,
    );
  });
  try {
    const { buckets } = JSON.parse(text) as { readonly buckets: readonly ListedBucket[] };
    // Never trust a file name of the list: it could point anywhere.
    return buckets.map(({ name, file, restart, jurisdiction, locationHint, metadata }) => ({
      name,
      file: file === plainFileNameOf(name) ? file : fileNameOf(name),
      restart,
      ...withoutUndefined({ jurisdiction, locationHint, metadata }),
    }));
  } catch {
    throw new ExitError(EXIT.usage, `error: ${path} is not a list of buckets.`);
  }
}
