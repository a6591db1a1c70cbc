/** Writes files that appear only when they are complete, so that half an export never looks like a whole one. */

import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open, readlink, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";

/**
 * Writes to a temporary file in the same folder and renames it when it is complete. Its name is random and it must not
 * exist yet, because other users may be able to write to the folder. Pipes and devices are written to directly, links
 * are followed, and an existing file keeps its permissions.
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

/** Follows links, also one whose target does not exist yet. */
async function targetOf(name: string): Promise<string> {
  const target = await readlink(name).catch(() => undefined);
  return target === undefined ? name : targetOf(resolve(dirname(name), target));
}

function orMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
