/** The words of a command line, as they were typed. */

import { readFileSync } from "node:fs";
import { usage } from "./exit.ts";

/** What stands for bytes that are no UTF-8: Node puts it there and does not say so. */
const REPLACEMENT = "\u{fffd}";

/**
 * Refuses words that are no UTF-8: with another character in place of their bytes, two keys would become one.
 * @param commandLine reads the bytes of the command line; undefined where the system does not tell: then a word with the
 *   character itself in it is refused too
 * @throws {Ended} for such a word
 */
export function checkWords(words: readonly string[], commandLine: () => Uint8Array | undefined): void {
  const suspect = words.findIndex((word) => word.includes(REPLACEMENT));
  if (suspect === -1) return;
  const bytes = commandLine();
  if (bytes !== undefined && isUtf8(bytes)) return;
  throw usage(
    `Argument ${suspect + 1} is not UTF-8, which keys and names are. A value of any bytes goes through stdin.`,
  );
}

/** This process's, where the system tells it (proc(5)). */
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
