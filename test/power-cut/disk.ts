/**
 * Draws a disk as a power cut may leave it.
 *
 * What a file's newest completed sync covers is there, byte for byte. Of the writes and truncations after it:
 * none; all; those before some moment, the last of them torn at any byte; some of them; or some of their pieces of 512 or
 * 4,096 bytes, each surviving or not whatever becomes of the others, so in any order. Bytes beside a write are never
 * changed (SQLite's "powersafe overwrite"). A file may have any size that it had since the sync. Where it has grown and no
 * piece survived, there are zeros, or in the strict model anything. Of names, see {@link NameModel}.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Content } from "./content.ts";
import type { Random } from "../support/random.ts";
import {
  changeName,
  type FileChange,
  type Inode,
  type NameModel,
  type Names,
  type Timeline,
} from "./timeline.ts";

/** Disks that no legal cut leaves, with which the tests must find fault. */
export type Fault =
  /** The newest sync of a file has done nothing: as if the engine acknowledged before it. */
  | "sync ignored"
  /** Half of a transaction that is under way; see half-done.ts. */
  | "half a transaction";

export interface Disk {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly folders: readonly string[];
  /** How it was drawn, for a report. */
  readonly drawn: string;
}

const SURVIVAL = ["none", "all", "prefix", "writes", "sectors", "pages", "each its own"] as const;
type Survival = Exclude<(typeof SURVIVAL)[number], "each its own">;
const UNIT: Readonly<Partial<Record<Survival, number>>> = { sectors: 512, pages: 4_096 };

export function drawDisk(timeline: Timeline, random: Random, fault?: Fault): Disk {
  const model: NameModel = random.chance(0.5) ? "strict" : "ordered";
  const survival = random.pick(SURVIVAL);
  const odds = random.pick([0.1, 0.5, 0.9]);
  const files = new Map<string, Buffer>();
  for (const [path, inode] of drawNames(timeline, model, random)) {
    const one = survival === "each its own" ? random.pick(SURVIVAL.slice(0, -1) as Survival[]) : survival;
    const garbage = model === "strict" && random.chance(0.5);
    const synced = fault !== "sync ignored" || inode !== timeline.newestSynced;
    files.set(
      path,
      synced ? drawContent(inode, { survival: one, odds, garbage }, random).bytes : inode.base.bytes,
    );
    // The index of a log was written through memory: it may be there, with anything in it.
    if (path.endsWith("-wal") && random.chance(0.5))
      files.set(path.replace(/wal$/, "shm"), drawIndex(random));
  }
  return { files, folders: [...timeline.folders], drawn: `${model} names, ${survival} (${odds})` };
}

function drawNames(timeline: Timeline, model: NameModel, random: Random): Names {
  const { durable, pending } = timeline.names(model);
  const names: Names = new Map(durable);
  const odds = random.pick([0, 0.5, 1]);
  const until = random.below(pending.length + 1);
  const kept = model === "ordered" ? pending.slice(0, until) : pending.filter(() => random.chance(odds));
  for (const change of kept) changeName(names, change);
  return names;
}

interface Draw {
  readonly survival: Survival;
  /** How probable it is that a write or a piece survives. */
  readonly odds: number;
  readonly garbage: boolean;
}

function drawContent({ base, synced, pending }: Inode, draw: Draw, random: Random): Content {
  const content = base.copy();
  for (const change of synced) content.change(change);
  if (draw.survival === "all") for (const change of pending) content.change(change);
  else if (draw.survival === "prefix") changeUntil(content, pending, random);
  else changeSome(content, pending, draw, random);
  return content;
}

/** The writes before some moment, and a part of the one under way. */
function changeUntil(content: Content, pending: readonly FileChange[], random: Random): void {
  const count = random.below(pending.length + 1);
  for (const change of pending.slice(0, count)) content.change(change);
  const torn = pending[count];
  if (torn?.kind !== "write") return;
  content.change({ ...torn, bytes: torn.bytes.subarray(0, random.below(torn.bytes.length + 1)) });
}

/** Some of the writes, or of their pieces. In their order: of two on one place, the first can be the one that is left. */
function changeSome(content: Content, pending: readonly FileChange[], draw: Draw, random: Random): void {
  const { survival, odds, garbage } = draw;
  const sizes = sizesOf(content.size, pending);
  const size = random.pick(sizes);
  const before = content.size;
  if (size > before) {
    content.resize(size);
    if (garbage) random.fill(content.bytes.subarray(before));
  }
  if (survival === "none") return;
  for (const change of pending) {
    for (const piece of piecesOf(change, UNIT[survival])) if (random.chance(odds)) content.change(piece);
  }
  content.resize(size);
}

/** All sizes that the file had since it was synced. */
function sizesOf(synced: number, pending: readonly FileChange[]): number[] {
  const sizes = [synced];
  for (const change of pending) {
    const before = sizes.at(-1) as number;
    sizes.push(
      change.kind === "truncate" ? change.size : Math.max(before, change.offset + change.bytes.length),
    );
  }
  return sizes;
}

/** The parts of a write in each sector or page of the file; the whole write without a unit. */
function* piecesOf(change: FileChange, unit?: number): Iterable<FileChange> {
  if (change.kind === "truncate" || unit === undefined) return yield change;
  const { offset, bytes } = change;
  for (let from = 0; from < bytes.length;) {
    const to = Math.min(bytes.length, from + unit - ((offset + from) % unit));
    yield { ...change, offset: offset + from, bytes: bytes.subarray(from, to) };
    from = to;
  }
}

function drawIndex(random: Random): Buffer {
  const bytes = Buffer.alloc(random.pick([0, 3, 32_768]));
  if (random.chance(0.5)) random.fill(bytes);
  return bytes;
}

export function writeDisk({ files, folders }: Disk, folder: string): void {
  mkdirSync(folder, { mode: 0o700 });
  for (const path of folders) mkdirSync(join(folder, path), { recursive: true, mode: 0o700 });
  for (const [path, bytes] of files) writeFileSync(join(folder, path), bytes);
}
