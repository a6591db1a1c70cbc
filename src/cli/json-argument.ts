/** JSON on a command line, which is kept as it was typed or refused. */

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[a-z]+|[[\]{},:]/g;

/**
 * What a JSON text says.
 * @throws {SyntaxError} if it is none; `RangeError`, if JavaScript would keep something else: of members with one name the
 *   last, names that are numbers before others, `1e400` as null, integers beyond 2^53 rounded. Only the digits of a
 *   fraction may be fewer
 */
export function exactly(text: string): unknown {
  const value = JSON.parse(text) as unknown;
  const [said, kept] = [tokensOf(text), tokensOf(JSON.stringify(value))];
  if (said.length !== kept.length || said.some((token, at) => !isKept(token, kept[at] ?? ""))) {
    throw new RangeError("It would not be kept as it is.");
  }
  return value;
}

function tokensOf(text: string): readonly string[] {
  return text.match(TOKEN) ?? [];
}

function isKept(said: string, kept: string): boolean {
  if (said.startsWith('"')) return kept.startsWith('"') && JSON.parse(said) === JSON.parse(kept);
  if (!/^-?\d/.test(said)) return said === kept;
  const number = Number(said);
  if (!Object.is(number, Number(kept)) || !Number.isFinite(number)) return false;
  if (/^-?\d+$/.test(said)) return said === kept || BigInt(said) === BigInt(number);
  // Too small to be told from nothing, and not written as nothing.
  return number !== 0 || !/[1-9]/.test(said.replace(/e.*/i, ""));
}
