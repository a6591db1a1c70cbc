/** JSON of requests, whose `json` and `metadata` are kept as they were sent. */

import { KeptJson, stringEnd } from "../model/kept-json.ts";

/** What a caller may fill as it likes: no list of ours. */
export const FREE: ReadonlySet<string> = new Set(["json", "metadata"]);
/** Where one of them may stand; their letters may be written with escapes. */
const MAY_HAVE = /"json"|"metadata"|\\u00[67]/;
/** How deep a request's operations' members are, at most. */
const MAX_DEPTH = 8;

/**
 * What `parse` makes of a text, with a {@link KeptJson} for each `json` and `metadata` that is not inside of another.
 * @throws what `parse` throws, also of what is kept
 */
export function parseKeeping(text: string, parse: (text: string) => unknown): unknown {
  if (!MAY_HAVE.test(text)) return parse(text);
  const { rest, cut } = cutOut(text);
  const parsed = parse(rest);
  for (const piece of cut) parse(piece);
  return restored(parsed, cut, 0);
}

/** The text with numbers for what is kept, and that. Of what is no JSON, something that is none either. */
function cutOut(text: string): { readonly rest: string; readonly cut: readonly string[] } {
  const cut: string[] = [];
  let rest = "";
  let from = 0;
  for (let next = 0, quote = 0; (quote = text.indexOf('"', next)) !== -1;) {
    next = stringEnd(text, quote);
    const colon = skipBlanks(text, next);
    // A string with a colon behind it is a name.
    if (text[colon] !== ":" || !isFree(text.slice(quote, next))) continue;
    const begin = skipBlanks(text, colon + 1);
    next = valueEnd(text, begin);
    // Between blanks: digits that stand next to it would make another number of it.
    rest += `${text.slice(from, begin)} ${cut.length} `;
    cut.push(text.slice(begin, next));
    from = next;
  }
  return { rest: rest + text.slice(from), cut };
}

/** Whether a name, as it is written, is one of what is kept. */
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

/** Where the value ends that begins there. */
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

/** Puts what was cut out in the place of its number. */
function restored(value: unknown, cut: readonly string[], depth: number): unknown {
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) {
    for (const [index, member] of value.entries()) value[index] = restored(member, cut, depth + 1);
    return value;
  }
  for (const [name, member] of Object.entries(value)) {
    const kept = FREE.has(name) ? new KeptJson(cutAt(member, cut)) : undefined;
    const given = kept ?? restored(member, cut, depth + 1);
    // Not by assignment, where nothing changes: `__proto__` is a name like any other in JSON.
    if (given !== member) (value as Record<string, unknown>)[name] = given;
  }
  return value;
}

/** What was cut out at a number. @throws {SyntaxError} if that was not put there by {@link cutOut} */
function cutAt(number: unknown, cut: readonly string[]): string {
  const piece = typeof number === "number" ? cut[number] : undefined;
  if (piece === undefined) throw new SyntaxError("what is kept has no place");
  return piece;
}
