/**
 * Parses requests but keeps the texts of their `json` and `metadata` members as they were sent.
 *
 * It cuts these values out of the text, puts a number in each one's place, parses the rest, and then puts the kept texts in
 * the place of the numbers.
 */

import { KeptJson, stringEnd } from "../model/kept-json.ts";

/** Members that may hold any JSON; the API's limits for lists do not apply inside of them. */
export const FREE: ReadonlySet<string> = new Set(["json", "metadata"]);
/** Matches a text that may have one of them. Their letters may be written as escapes. */
const MAY_HAVE = /"json"|"metadata"|\\u00[67]/;
/** Levels down to the members of a request's operations at most. */
const MAX_DEPTH = 8;

/**
 * Parses a text, with a {@link KeptJson} for each outermost `json` and `metadata` member.
 * @param parse also runs on each kept text, to check it
 * @throws what `parse` throws
 */
export function parseKeeping(text: string, parse: (text: string) => unknown): unknown {
  if (!MAY_HAVE.test(text)) return parse(text);
  const { rest, cut } = cutOut(text);
  const parsed = parse(rest);
  for (const piece of cut) parse(piece);
  return restored(parsed, cut, 0);
}

/**
 * Replaces each kept value by its number in `cut`. If the text is not JSON, then `rest` or a text in `cut` is not JSON
 * either.
 */
function cutOut(text: string): { readonly rest: string; readonly cut: readonly string[] } {
  const cut: string[] = [];
  let rest = "";
  let from = 0;
  for (let next = 0, quote = 0; (quote = text.indexOf('"', next)) !== -1;) {
    next = stringEnd(text, quote);
    const colon = skipBlanks(text, next);
    // A string followed by a colon is a name.
    if (text[colon] !== ":" || !isFree(text.slice(quote, next))) continue;
    const begin = skipBlanks(text, colon + 1);
    next = valueEnd(text, begin);
    // The number stands between blanks, so digits next to it in invalid JSON can't extend it.
    rest += `${text.slice(from, begin)} ${cut.length} `;
    cut.push(text.slice(begin, next));
    from = next;
  }
  return { rest: rest + text.slice(from), cut };
}

/** Whether a member's value is kept. @param written the name as it is written, with its quotes */
export function isFree(written: string): boolean {
  if (!written.includes("\\")) return FREE.has(written.slice(1, -1));
  try {
    return FREE.has(JSON.parse(written) as string);
  } catch {
    return false;
  }
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && " \t\r\n".includes(text.charAt(at))) at += 1;
  return at;
}

/** The position after the value that begins at `begin`. */
function valueEnd(text: string, begin: number): number {
  const first = text[begin];
  if (first === '"') return stringEnd(text, begin);
  const isNested = first === "{" || first === "[";
  const marks = isNested ? /["[\]{}]/g : /[,\]}\s]/g;
  marks.lastIndex = begin;
  let depth = 0;
  for (let found = marks.exec(text); found !== null; found = marks.exec(text)) {
    if (!isNested) return found.index;
    const [mark] = found;
    if (mark === '"') marks.lastIndex = stringEnd(text, found.index);
    else depth += mark === "{" || mark === "[" ? 1 : -1;
    if (depth === 0) return found.index + 1;
  }
  return text.length;
}

/** Puts each kept text in the place of its number. */
function restored(value: unknown, cut: readonly string[], depth: number): unknown {
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) {
    for (const [index, member] of value.entries()) value[index] = restored(member, cut, depth + 1);
    return value;
  }
  for (const [name, member] of Object.entries(value)) {
    const kept = FREE.has(name) ? new KeptJson(cutAt(member, cut)) : undefined;
    const given = kept ?? restored(member, cut, depth + 1);
    // Assign only what changed: assigning `__proto__`, a valid name in JSON, would set the prototype.
    if (given !== member) (value as Record<string, unknown>)[name] = given;
  }
  return value;
}

/** The kept text with this number. @throws {SyntaxError} if {@link cutOut} did not put the number there */
function cutAt(number: unknown, cut: readonly string[]): string {
  const piece = typeof number === "number" ? cut[number] : undefined;
  if (piece === undefined) throw new SyntaxError("a kept value has no number");
  return piece;
}
