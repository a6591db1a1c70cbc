/** Refuses arguments that are not UTF-8. */

import { readFileSync } from "node:fs";
import { usage } from "./exit.ts";

/** Node silently replaces bytes that are not UTF-8 by this character. */
const REPLACEMENT = "\u{fffd}";

/**
 * Refuses arguments that are not UTF-8: after the replacement, two different keys could become the same.
 * @param commandLine reads the command line's bytes, or returns undefined where the system can't tell. Then an argument
 *   that really contains the replacement character is refused as well.
 * @throws {ExitError} for such an argument
 */
export function checkUtf8(words: readonly string[], commandLine: () => Uint8Array | undefined): void {
  const suspect = words.findIndex((word) => word.includes(REPLACEMENT));
  if (suspect === -1) return;
  const bytes = commandLine();
  if (bytes !== undefined && isUtf8(bytes)) return;
  throw usage(
    `Argument ${suspect + 1} is not UTF-8. Keys and names have to be UTF-8; pass a binary value through stdin.`,
  );
}

/** The command line of this process, on systems with /proc (proc(5)). */
export function commandLineBytes(): Uint8Array | undefined {
  try {
    return readFileSync("/proc/self/cmdline");
  } catch {
    return undefined;
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
