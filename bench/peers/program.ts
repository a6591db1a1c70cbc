/** Runs a program to its end, for its output: for example its version. */

import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { promisify } from "node:util";

const run = promisify(execFile);

/** @returns its standard output; undefined if it is not installed, fails, or takes too long */
export async function outputOf(
  program: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<string | undefined> {
  try {
    // In a folder without a package.json of its own, which npm would look at.
    const { stdout } = await run(program, args, { timeout: timeoutMs, cwd: tmpdir() });
    return stdout;
  } catch {
    return undefined;
  }
}
