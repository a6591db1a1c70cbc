/** Restricts access to the data folder to its owner. */

import { chmodSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

const OTHERS = 0o077;
/** Names of the server's own entries in the data folder: its locks, and one folder per class of objects. */
const OURS = /^(?:lock(?:-journal|-wal|-shm)?|engine|durable-kv-.+)$/;

/**
 * Removes all permissions of the group and of others: folders become 0700, files 0600. The data folder itself is
 * changed only if it holds nothing but the server's entries. Other files and links are left alone. Does nothing on
 * Windows.
 *
 * @returns whether anything was accessible to others
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
 * A folder is restricted after its content. So a restricted folder need not be searched again, which keeps a start with
 * many buckets quick, and an interrupted run is completed by the next one.
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
