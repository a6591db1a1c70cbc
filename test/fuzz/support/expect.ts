/** What was expected beside what came: JSON in which some members are only described. Pure. */

/** Stands in expected JSON for a value that is not known beforehand. */
export class Matcher {
  readonly what: string;
  readonly matches: (given: unknown) => boolean;

  constructor(what: string, matches: (given: unknown) => boolean) {
    this.what = what;
    this.matches = matches;
  }

  toJSON(): string {
    return `<${this.what}>`;
  }
}

export const anyTime = new Matcher(
  "a time",
  (given) => typeof given === "string" && !Number.isNaN(Date.parse(given)),
);
export const anyText = new Matcher("a text", (given) => typeof given === "string");
export const anything = new Matcher("anything", () => true);

/** An object that has these members, and maybe others. */
export function having(members: Readonly<Record<string, unknown>>): Matcher {
  return new Matcher(
    `with ${JSON.stringify(members)}`,
    (given) =>
      isObject(given) &&
      Object.entries(members).every(([name, value]) => differenceOf(value, given[name]) === undefined),
  );
}

/** What is as both say. */
export function bothOf(one: Matcher, other: Matcher): Matcher {
  return new Matcher(`${one.what} and ${other.what}`, (given) => one.matches(given) && other.matches(given));
}

/** How what came differs from what was expected, in words; undefined if it does not. */
export function differenceOf(expected: unknown, given: unknown, where = "body"): string | undefined {
  if (expected instanceof Matcher) {
    return expected.matches(given) ? undefined : `${where} is ${shown(given)}, and not ${expected.what}`;
  }
  if (Array.isArray(expected) && Array.isArray(given)) {
    if (expected.length !== given.length) {
      return `${where} has ${given.length} members, and not ${expected.length}: ${shown(given)}, and not ${shown(expected)}`;
    }
    return firstOf(expected.keys(), (index) =>
      differenceOf(expected[index], given[index], `${where}[${index}]`),
    );
  }
  if (isObject(expected) && isObject(given)) {
    const names = new Set([...Object.keys(expected), ...Object.keys(given)]);
    return firstOf(names, (name) => differenceOf(expected[name], given[name], `${where}.${name}`));
  }
  return Object.is(expected, given) ? undefined : `${where} is ${shown(given)}, and not ${shown(expected)}`;
}

/** JSON, shortened. */
export function shown(value: unknown): string {
  const text = value === undefined ? "left out" : JSON.stringify(value);
  return text.length <= 300 ? text : `${text.slice(0, 200)}…(${text.length} characters)…${text.slice(-60)}`;
}

function firstOf<T>(all: Iterable<T>, find: (one: T) => string | undefined): string | undefined {
  for (const one of all) {
    const found = find(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
