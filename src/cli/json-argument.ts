/** Parses JSON of a command line, and refuses it if storing it would change it. */

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[a-z]+|[[\]{},:]/g;

/**
 * Parses JSON, and compares the tokens of the result with those of the text.
 * @throws {SyntaxError} if the text is not JSON
 * @throws {RangeError} if JavaScript would change it: it drops duplicate members, moves members with numeric names to
 *   the front, turns `1e400` into null, and rounds integers beyond 2^53. Only a fraction may lose digits.
 */
export function parseLossless(text: string): unknown {
  const value = JSON.parse(text) as unknown;
  const [given, kept] = [tokensOf(text), tokensOf(JSON.stringify(value))];
  if (given.length !== kept.length || given.some((token, at) => !isKept(token, kept[at] ?? ""))) {
    throw new RangeError("JavaScript would change this JSON.");
  }
  return value;
}

function tokensOf(text: string): readonly string[] {
  return text.match(TOKEN) ?? [];
}

function isKept(given: string, kept: string): boolean {
  if (given.startsWith('"')) return kept.startsWith('"') && JSON.parse(given) === JSON.parse(kept);
  if (!/^-?\d/.test(given)) return given === kept;
  const number = Number(given);
  if (!Object.is(number, Number(kept)) || !Number.isFinite(number)) return false;
  if (/^-?\d+$/.test(given)) return given === kept || BigInt(given) === BigInt(number);
  // Zero is fine only if it was written as zero, and is not a number too small for a double.
  return number !== 0 || !/[1-9]/.test(given.replace(/e.*/i, ""));
}
