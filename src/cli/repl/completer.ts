/** Completion for a line of the text protocol. */

import { isPrintable } from "../printable.ts";

/** The kinds of each command's arguments, in order. */
const VERBS: Readonly<Record<string, readonly ("bucket" | "key" | "other")[]>> = {
  AUTH: ["other"],
  BUCKETS: ["bucket", "bucket"],
  CREATE: ["bucket"],
  DELETE: ["bucket", "key"],
  EXIT: ["bucket", "other"],
  GET: ["bucket", "key"],
  GETDEL: ["bucket", "key"],
  HELP: [],
  INCR: ["bucket", "key", "other"],
  KEYS: ["bucket", "key", "key"],
  LOOKUP: ["bucket"],
  MONITOR: ["bucket"],
  PING: [],
  PUT: ["bucket", "key", "other"],
  QUIT: [],
  STOP: ["bucket"],
  SUBSCRIBE: ["bucket"],
};

/** Sends a line. @returns its replies */
export type AskService = (line: string) => Promise<string>;

/** The candidates for a line's last word, and that word, as `node:readline` expects them. */
export async function complete(line: string, ask: AskService): Promise<[string[], string]> {
  const words = line.trimStart().split(/[ \t]+/);
  const partial = words.at(-1) ?? "";
  const verb = words[0] ?? "";
  if (words.length === 1) {
    const upper = partial.toUpperCase();
    return [
      Object.keys(VERBS)
        .filter((name) => name.startsWith(upper))
        .map(spaced),
      partial,
    ];
  }
  // Quoted words may contain spaces, which the split above does not handle.
  if (line.includes('"')) return [[], partial];
  switch (VERBS[verb]?.[words.length - 2]) {
    case "bucket":
      return [await askForNames(ask, ["BUCKETS", partial]), partial];
    case "key":
      return [await askForNames(ask, ["KEYS", words[1] ?? "", partial]), partial];
    default:
      return [[], partial];
  }
}

/** Names of a BUCKETS or KEYS reply, without the final OK and without unprintable ones. */
async function askForNames(ask: AskService, words: readonly string[]): Promise<string[]> {
  const lines = (await ask(words.join(" ").trimEnd())).split("\r\n").slice(0, -1);
  return lines.pop() === "OK" ? lines.filter(isPrintable).map(spaced) : [];
}

function spaced(word: string): string {
  return `${word} `;
}
