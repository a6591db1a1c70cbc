/** The folders of objects in the data folder. */

import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes the folders of objects, one for each class, and returns when their names are on disk. The engine would make them,
 * too, but it syncs only what is in them: by the letter of POSIX, a power cut could then take a whole folder, with
 * acknowledged writes.
 */
export function makeObjectFolders(data: string, folders: readonly string[]): void {
  for (const folder of folders) mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The parent too: the data folder may be new itself.
  for (const folder of [data, dirname(data)]) {
    try {
      sync(folder);
    } catch {
      // Some file systems, and Windows, can't sync a folder; and a parent may belong to another user, who made it long ago.
    }
  }
}

function sync(folder: string): void {
  const open = openSync(folder, "r");
  try {
    fsyncSync(open);
  } finally {
    closeSync(open);
  }
}
