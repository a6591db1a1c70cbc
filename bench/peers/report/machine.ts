/** Facts of the machine that the figures depend on. Nothing tells which machine it is. */

import { closeSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { median } from "../../load/measure.ts";
import { temporaryFolder } from "../../servers.ts";

export interface Machine {
  readonly processors: number;
  readonly model: string;
  readonly memoryGiB: number;
  /** Processes that were running or waiting in the minute before: with many, only the ratios mean something. */
  readonly load: number;
  /** For example `linux 6.18.44 x64`. */
  readonly kernel: string;
  /** The file system of the folder that has all data; a hexadecimal number if its name is not known. */
  readonly fileSystem: string;
  /** Median milliseconds of a sync of 4 KiB to it: no durable put is faster. */
  readonly syncMs: number;
}

const SYNCS = 50;
const PAGE = Buffer.alloc(4_096, 1);

/** The numbers that Linux has for file systems. */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0xef53: "ext4",
  0x01021994: "tmpfs, which is not durable",
  0x794c7630: "overlayfs",
  0x9123683e: "btrfs",
  0x58465342: "xfs",
  0x2fc12fc1: "zfs",
};

export async function machineFacts(): Promise<Machine> {
  const processors = cpus();
  const folder = await temporaryFolder();
  try {
    const { type } = statfsSync(folder);
    return {
      processors: processors.length,
      model: processors[0]?.model ?? "unknown",
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
      kernel: `${platform()} ${release()} ${arch()}`,
      fileSystem: FILE_SYSTEMS[type] ?? `0x${type.toString(16)}`,
      syncMs: syncMilliseconds(join(folder, "probe")),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function syncMilliseconds(path: string): number {
  const file = openSync(path, "w");
  const took = Array.from({ length: SYNCS }, () => {
    const started = performance.now();
    writeSync(file, PAGE);
    fdatasyncSync(file);
    return performance.now() - started;
  });
  closeSync(file);
  return Math.round(median(took) * 100) / 100;
}
