/** Who may read the data: its owner only. */

import { chmodSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

const OTHERS = 0o077;
/** What a server keeps in its data folder: its locks, and a folder for each class of objects. */
const OURS = /^(?:lock(?:-journal|-wal|-shm)?|engine|durable-kv-.+)$/;

/**
 * Takes what a server keeps in its data folder from the group and from others: folders become 0700, files 0600. The data
 * folder itself too, unless it holds other files: those are left alone, and so are links.
 * On Windows there is nothing to do.
 *
 * @returns whether anything was open to others.
 */
export function tighten(folder: string): boolean {
  if (process.platform === "win32") return false;
  const entries = readdirSync(folder);
  const ours = entries.filter((name) => OURS.test(name));
  let changed = false;
  for (const name of ours) changed = tightenAll(join(folder, name)) || changed;
  if (ours.length < entries.length || !isOpen(folder)) return changed;
  chmodSync(folder, 0o700);
  return true;
}

/**
 * A folder is tightened after its content, so that one that is tight already need not be looked through again: a start
 * with many buckets stays quick, and one that was cut off goes on where it was.
 */
function tightenAll(path: string): boolean {
  const found = lstatSync(path);
  if (found.isSymbolicLink() || !isOpen(path)) return false;
  if (found.isDirectory()) for (const name of readdirSync(path)) tightenAll(join(path, name));
  chmodSync(path, found.isDirectory() ? 0o700 : 0o600);
  return true;
}

function isOpen(path: string): boolean {
  return (lstatSync(path).mode & OTHERS) !== 0;
}
