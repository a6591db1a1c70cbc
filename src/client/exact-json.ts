/**
 * JSON that comes back as what it was: integers beyond 2^53 are bigints, and what JSON has no word for is refused instead
 * of becoming something else.
 */

/** Where a number may stand that a double does not hold: to look at each of them costs more than to parse. */
const LONG_NUMBER = /(?:^|[:[,\s])-?(?:\d{16}|\d+(?:\.\d+)?[eE]|\d+\.\d{300})/;

/**
 * As `JSON.parse`; but an integer beyond 2^53 that is written in digits alone is a bigint.
 * @throws {SyntaxError} if it is no JSON
 * @throws {RangeError} for a number that would become infinite, or 0
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return LONG_NUMBER.test(text) ? new Reader(text).value() : value;
}

/**
 * As `JSON.stringify`; but a bigint is written as an integer, a number beyond 2^53 so that it is read as a number, and -0 as
 * it is. What has a `toJSON` is what that gives, and members that are undefined are left out.
 * @param name what an error calls the value @throws {TypeError} for what is not JSON, at any depth; it says where
 */
export function jsonText(value: unknown, name = "The value"): string {
  return written(value, name, new Set());
}

/** Goes over a text that is known to be JSON. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): unknown {
    const token = this.#token();
    switch (token) {
      case "{":
        return this.#object();
      case "[":
        return this.#array();
      case "true":
      case "false":
      case "null":
        return JSON.parse(token);
      default:
        return token.startsWith('"') ? JSON.parse(token) : numberOf(token);
    }
  }

  #object(): Record<string, unknown> {
    const members: [string, unknown][] = [];
    for (let token = this.#token(); token !== "}"; token = this.#token()) {
      if (token === ",") continue;
      this.#token(); // the colon
      members.push([JSON.parse(token) as string, this.value()]);
    }
    // In entries, and not by assignment: `__proto__` is a name like any other in JSON.
    return Object.fromEntries(members);
  }

  #array(): unknown[] {
    const all: unknown[] = [];
    for (;;) {
      const begin = this.#at;
      const token = this.#token();
      if (token === "]") return all;
      if (token === ",") continue;
      this.#at = begin;
      all.push(this.value());
    }
  }

  #token(): string {
    TOKEN.lastIndex = this.#at;
    const [whole = "", token = ""] = TOKEN.exec(this.#text) ?? [];
    this.#at += whole.length;
    return token;
  }
}

const TOKEN = /\s*([{}[\],:]|[^\s"{}[\],:]+|"(?:[^"\\]|\\.)*")/y;

function numberOf(source: string): number | bigint {
  const value = Number(source);
  if (Number.isSafeInteger(value)) {
    if (value === 0 && /[1-9]/.test(source.replace(/[eE].*/, ""))) throw outOfRange(source);
    return value;
  }
  if (/^-?\d+$/.test(source)) return BigInt(source);
  if (!Number.isFinite(value)) throw outOfRange(source);
  return value;
}

function outOfRange(source: string): RangeError {
  return new RangeError(`No number of JavaScript's is ${source.slice(0, 40)}.`);
}

/** @param around the objects that this one is in */
function written(value: unknown, name: string, around: Set<object>): string {
  switch (typeof value) {
    case "string":
    case "boolean":
      return JSON.stringify(value);
    case "bigint":
      return value.toString();
    case "number":
      if (!Number.isFinite(value)) throw new TypeError(`${name} is ${value}, which JSON has no word for.`);
      if (Object.is(value, -0)) return "-0";
      // Digits alone would be read as a bigint.
      return Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value);
    case "object":
      return value === null ? "null" : writtenObject(value, name, around);
    default:
      throw new TypeError(
        `${name} is ${value === undefined ? "undefined" : `a ${typeof value}`}, which is no JSON.`,
      );
  }
}

function writtenObject(value: object, name: string, around: Set<object>): string {
  if (around.has(value)) throw new TypeError(`${name} is in itself.`);
  around.add(value);
  const text = writtenMembers(value, name, around);
  around.delete(value);
  return text;
}

function writtenMembers(value: object, name: string, around: Set<object>): string {
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === "function") {
    // A date that is none would be null.
    if (value instanceof Date && Number.isNaN(value.getTime())) throw new TypeError(`${name} is no date.`);
    return written(toJSON.call(value, ""), name, around);
  }
  if (Array.isArray(value)) {
    // By index, so that what was left out is seen, too.
    return `[${Array.from(value, (item, index) => written(item, `${name}[${index}]`, around)).join(",")}]`;
  }
  if (!isPlain(value)) {
    throw new TypeError(
      `${name} is no JSON (${kindOf(value)}): give a plain object, an array, or what has a toJSON.`,
    );
  }
  const members: string[] = [];
  for (const [member, of] of Object.entries(value)) {
    if (of !== undefined)
      members.push(`${JSON.stringify(member)}:${written(of, `${name}.${member}`, around)}`);
  }
  return `{${members.join(",")}}`;
}

/** Whether all that an object is is what its members say; also one that another window or context has made. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function kindOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
