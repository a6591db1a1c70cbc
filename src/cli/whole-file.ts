/** Files that are there when they are whole, and not before: half an export looks like one. */

import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open, readlink, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";

/**
 * Writes a file under another name, in the same folder, until it is whole. That name can't be guessed, and what is there
 * already is never opened: somebody else may write there too. What is to be written to and is no plain file (a pipe, a
 * device) is written to as it comes; a link leads to its target; a file's permissions stay.
 */
export async function writeWhole(
  name: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<string | Uint8Array>,
): Promise<void> {
  const info = await stat(name).catch(orMissing);
  if (info !== undefined && !info.isFile()) return pipeline(pieces, createWriteStream(name));
  const file = info === undefined ? await targetOf(name) : await realpath(name);
  const part = join(dirname(file), `.kv-${randomBytes(12).toString("hex")}.part`);
  const opened = await open(part, "wx", info === undefined ? 0o666 : 0o600);
  try {
    if (info !== undefined) await opened.chmod(info.mode & 0o777);
    await pipeline(pieces, opened.createWriteStream({ flush: true }));
    await rename(part, file);
  } catch (error) {
    await opened.close().catch(() => undefined);
    await rm(part, { force: true });
    throw error;
  }
}

/** Where a name leads that has nothing behind it: to itself, or where a link does. */
async function targetOf(name: string): Promise<string> {
  const target = await readlink(name).catch(() => undefined);
  return target === undefined ? name : targetOf(resolve(dirname(name), target));
}

function orMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
