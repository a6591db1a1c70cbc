/** The recorded operations up to a moment, kept apart by what a power cut at that moment must keep and what it may lose. */

import { posix } from "node:path";
import { Content } from "./content.ts";
import type { Operation } from "./trace.ts";

export type FileChange = Extract<Operation, { kind: "write" | "truncate" }>;

/** A file, whatever its name. */
export interface Inode {
  /** As it was before the newest sync. */
  readonly base: Content;
  /** What the newest sync has made durable. */
  synced: FileChange[];
  /** What no sync has followed. */
  pending: FileChange[];
}

export type NameChange =
  | { readonly kind: "link"; readonly path: string; readonly inode: Inode }
  | { readonly kind: "unlink"; readonly path: string }
  | { readonly kind: "rename"; readonly path: string; readonly to: string; readonly inode: Inode };

export type Names = Map<string, Inode>;

/**
 * What becomes of names.
 *
 * - `strict`: POSIX. A name is durable when its folder was synced after it. Before that each creation, removal and renaming
 *   may be lost or kept, whatever becomes of the others. A sync of a file is none of its name.
 * - `ordered`: a file system with a journal of its metadata (ext4, XFS, btrfs's log). Changes of names reach the disk in
 *   their order, and any sync takes all those before it along.
 *
 * In both, folders themselves are there once they were made: the server syncs the data folder before the engine starts.
 */
export type NameModel = "strict" | "ordered";

export function changeName(names: Names, change: NameChange): void {
  if (change.kind === "link") names.set(change.path, change.inode);
  else if (change.kind === "unlink") names.delete(change.path);
  else if (names.delete(change.path)) names.set(change.to, change.inode);
}

/** Names by one model: the durable ones, and what may still be lost. */
class NameTable {
  readonly durable: Names = new Map();
  pending: NameChange[] = [];

  /** Makes the pending changes durable that this applies to, in their order. */
  sync(applies: (change: NameChange) => boolean): void {
    for (const change of this.pending) if (applies(change)) changeName(this.durable, change);
    this.pending = this.pending.filter((change) => !applies(change));
  }
}

export class Timeline {
  readonly #operations: readonly Operation[];
  #at = 0;
  readonly #live: Names = new Map();
  readonly #tables: Readonly<Record<NameModel, NameTable>> = {
    strict: new NameTable(),
    ordered: new NameTable(),
  };
  readonly folders: string[] = [];
  /** The file of the newest completed sync. */
  newestSynced: Inode | undefined;

  constructor(operations: readonly Operation[]) {
    this.#operations = operations;
  }

  /** Carries out the operations before `position`. It never goes back. */
  advance(position: number): void {
    for (const operation of this.#operations.slice(this.#at, position)) this.#carryOut(operation);
    this.#at = Math.max(this.#at, position);
  }

  names(model: NameModel): { readonly durable: Names; readonly pending: readonly NameChange[] } {
    return this.#tables[model];
  }

  /** The files as programs saw them. */
  get live(): ReadonlyMap<string, Inode> {
    return this.#live;
  }

  #carryOut(operation: Operation): void {
    // The index of a write-ahead log: SQLite makes it anew when it is the first to open a database.
    if ("path" in operation && operation.path.endsWith("-shm")) return;
    switch (operation.kind) {
      case "send":
        return;
      case "folder":
        return void this.folders.push(operation.path);
      case "open": {
        if (this.#live.has(operation.path) || this.#isFolder(operation.path)) return;
        const inode: Inode = { base: new Content(), synced: [], pending: [] };
        return this.#rename({ kind: "link", path: operation.path, inode });
      }
      case "unlink":
        if (!this.#live.has(operation.path)) return;
        return this.#rename({ kind: "unlink", path: operation.path });
      case "rename": {
        const inode = this.#live.get(operation.from);
        if (inode === undefined) throw new Error(`${operation.from} is renamed, and was never created`);
        return this.#rename({ kind: "rename", path: operation.from, to: operation.to, inode });
      }
      case "write":
      case "truncate":
        return void this.#file(operation.path).pending.push(operation);
      case "sync":
        this.#tables.ordered.sync(() => true);
        if (this.#isFolder(operation.path)) {
          return this.#tables.strict.sync(({ path }) => folderOf(path) === operation.path);
        }
        this.newestSynced = this.#file(operation.path);
        return syncFile(this.newestSynced);
    }
  }

  #rename(change: NameChange): void {
    changeName(this.#live, change);
    for (const { pending } of Object.values(this.#tables)) pending.push(change);
  }

  #file(path: string): Inode {
    const inode = this.#live.get(path);
    if (inode === undefined) throw new Error(`${path} is written, and was never created`);
    return inode;
  }

  #isFolder(path: string): boolean {
    return path === "" || this.folders.includes(path);
  }
}

function syncFile(inode: Inode): void {
  for (const change of inode.synced) inode.base.change(change);
  inode.synced = inode.pending;
  inode.pending = [];
}

function folderOf(path: string): string {
  const folder = posix.dirname(path);
  return folder === "." ? "" : folder;
}
