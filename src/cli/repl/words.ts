/** What could stand at the cursor of a line of the text protocol. */

import { isPrintable } from "../printable.ts";

/** What a verb's words are, in their order. */
const VERBS: Readonly<Record<string, readonly ("bucket" | "key" | "other")[]>> = {
  AUTH: ["other"],
  BUCKETS: ["bucket", "bucket"],
  CREATE: ["bucket"],
  DELETE: ["bucket", "key"],
  EXIT: ["bucket", "other"],
  GET: ["bucket", "key"],
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

/** A line, and the replies to it. */
export type Ask = (line: string) => Promise<string>;

/** The candidates for the last word of a line, and that word: what `node:readline` asks for. */
export async function complete(line: string, ask: Ask): Promise<[string[], string]> {
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
  // A quoted word is not cut by blanks, as the words here are.
  if (line.includes('"')) return [[], partial];
  switch (VERBS[verb]?.[words.length - 2]) {
    case "bucket":
      return [await listed(ask, ["BUCKETS", partial]), partial];
    case "key":
      return [await listed(ask, ["KEYS", words[1] ?? "", partial]), partial];
    default:
      return [[], partial];
  }
}

/** What is behind the names is their OK. A word that has to be quoted is. */
async function listed(ask: Ask, words: readonly string[]): Promise<string[]> {
  const lines = (await ask(words.join(" ").trimEnd())).split("\r\n").slice(0, -1);
  return lines.pop() === "OK" ? lines.filter(isPrintable).map(spaced) : [];
}

function spaced(word: string): string {
  return `${word} `;
}
