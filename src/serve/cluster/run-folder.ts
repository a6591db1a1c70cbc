/** Where the nodes of a folder say which process runs them: a file, for `durable-kv cluster drain`. */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Running {
  readonly pid: number;
  readonly socket: string;
}

const fileOf = (data: string): string => join(data, "running.json");

export function writeRunning(data: string, running: Running): void {
  writeFileSync(fileOf(data), JSON.stringify(running), { mode: 0o600 });
}

/** @returns undefined if no nodes of this folder run, or the file is left over of some that were killed */
export function readRunning(data: string): Running | undefined {
  try {
    const running = JSON.parse(readFileSync(fileOf(data), "utf8")) as Running;
    process.kill(running.pid, 0);
    return running;
  } catch {
    return undefined;
  }
}

export function removeRunning(data: string): void {
  rmSync(fileOf(data), { force: true });
}
