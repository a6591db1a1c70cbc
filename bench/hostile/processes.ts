/** Finds a server's processes in Linux's /proc, and their memory and open files. */

import { readdirSync, readFileSync } from "node:fs";

export interface Tree {
  /** workerd. */
  readonly engine: number;
  /** All processes, including the engine. */
  readonly all: readonly number[];
}

/** The process tree of `root`. @throws if it has no engine */
export function treeOf(root: number): Tree {
  const all = [root];
  for (const pid of all) all.push(...childrenOf(pid));
  const engine = all.find(isEngine);
  if (engine === undefined) throw new Error(`process ${root} has no engine below it`);
  return { engine, all };
}

/** Whether the process exists and is an engine. */
export function isEngine(pid: number): boolean {
  return read(`/proc/${pid}/comm`).trim() === "workerd" && !/^State:\s+Z/m.test(read(`/proc/${pid}/status`));
}

/** Resident memory in megabytes, current (`VmRSS`) or peak (`VmHWM`); 0 if the process has ended. */
export function megabytes(pid: number, line: "VmRSS" | "VmHWM"): number {
  const kilobytes = new RegExp(`${line}:\\s+(\\d+)`).exec(read(`/proc/${pid}/status`))?.[1];
  return Number(kilobytes ?? 0) / 1_024;
}

/** The process's limit of open files. */
export function openFilesLimit(pid: number): string {
  return /Max open files\s+(\d+)/.exec(read(`/proc/${pid}/limits`))?.[1] ?? "?";
}

/** The number of files that the process has open. */
export function openFiles(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`)
      .split(" ")
      .filter((text) => text !== "")
      .map(Number),
  );
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the process has ended
  }
}
