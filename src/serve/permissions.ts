/** Who may read the data folder: its owner only. */

import { chmodSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

const OTHERS = 0o077;

/**
 * Takes a folder, and all that is in it, from the group and from others: folders become 0700, files 0600.
 * A folder is tightened after its content, so that one that is tight already need not be looked through again:
 * a start with many buckets stays quick, and one that was cut off goes on where it was.
 *
 * Links are left alone. On Windows there is nothing to do.
 *
 * @returns whether anything was open to others.
 */
export function tighten(folder: string): boolean {
  if (process.platform === "win32") return false;
  let changed = false;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) changed = tighten(join(folder, entry.name)) || changed;
  }
  if (!isOpen(folder)) return changed;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile() && isOpen(path)) chmodSync(path, 0o600);
  }
  chmodSync(folder, 0o700);
  return true;
}

function isOpen(path: string): boolean {
  return (lstatSync(path).mode & OTHERS) !== 0;
}
