/** A folder with the whole service: a file of NDJSON for each bucket, and a list of them. */

import { createHash } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BucketInfo } from "../client/index.ts";
import { Ended, EXIT } from "./exit.ts";
import { given } from "./arguments.ts";
import { writeWhole } from "./whole-file.ts";

/** It is taken away first, and written last: a folder without it is half an export. */
const LIST = "buckets.json";
/** Characters of a name that its file keeps: with a hash and the ending a file's name has room for it everywhere. */
const MAX_NAME = 180;

export interface ListedBucket {
  readonly name: string;
  readonly file: string;
  readonly restart: "permanent" | "temporary";
  readonly jurisdiction?: string;
  readonly locationHint?: string;
  readonly metadata?: unknown;
}

/** What Windows takes for a device, whatever stands behind its first dot. */
const DEVICES = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/;

/** A bucket's file: its name as far as every file system takes it, and can tell it from others. */
export function fileNameOf(bucket: string): string {
  return plainFileNameOf(bucket).replace(DEVICES, (device) => percent(device.slice(0, 1)) + device.slice(1));
}

/** As exports of version 0.1 have it. */
function plainFileNameOf(bucket: string): string {
  const safe = bucket.replaceAll(/[^a-z0-9._-]|^[.-]/g, percent);
  if (safe.length <= MAX_NAME) return `${safe}.ndjson`;
  const hash = createHash("sha256").update(bucket).digest("hex").slice(0, 16);
  return `${safe.slice(0, MAX_NAME)}~${hash}.ndjson`;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/** With all that it was created with, so that an import makes the same. */
export function listed({ name, restart, jurisdiction, locationHint, metadata }: BucketInfo): ListedBucket {
  return { name, file: fileNameOf(name), restart, ...given({ jurisdiction, locationHint, metadata }) };
}

/** From here on, until its list is written, what is in the folder is no export. */
export async function beginExport(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await rm(join(folder, LIST), { force: true });
}

export async function writeList(folder: string, buckets: readonly ListedBucket[]): Promise<void> {
  await writeWhole(join(folder, LIST), [`${JSON.stringify({ buckets }, null, 2)}\n`]);
}

/** @throws {Ended} if there is no such list, or it is none */
export async function readList(folder: string): Promise<readonly ListedBucket[]> {
  const path = join(folder, LIST);
  const text = await readFile(path, "utf8").catch(() => {
    throw new Ended(EXIT.usage, `error: ${path} can't be read: ${folder} is no export, or half of one.`);
  });
  try {
    const { buckets } = JSON.parse(text) as { readonly buckets: readonly ListedBucket[] };
    // A file's name is never taken from the list as it is: it could lead anywhere.
    return buckets.map(({ name, file, restart, jurisdiction, locationHint, metadata }) => ({
      name,
      file: file === plainFileNameOf(name) ? file : fileNameOf(name),
      restart,
      ...given({ jurisdiction, locationHint, metadata }),
    }));
  } catch {
    throw new Ended(EXIT.usage, `error: ${path} is not a list of buckets.`);
  }
}
