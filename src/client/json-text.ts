/** JSON that says what was given: integers of any size, and an error for what JSON has no word for. */

/**
 * As `JSON.stringify`; but a bigint is written as an integer, a number beyond 2^53 so that it is read as a number, and -0 as
 * it is. What has a `toJSON` is what that gives, and members that are undefined are left out.
 * @param name what an error calls the value
 * @throws {TypeError} for what is not JSON, at any depth; it says where
 */
export function jsonText(value: unknown, name = "The value"): string {
  // To look at a value and have the platform write it takes a fraction of the time of writing it here.
  return isSimple(value, 0) ? JSON.stringify(value) : new Writer(name).write(value);
}

/** Levels that are looked at by calls in calls. What is deeper, or in itself, is written with a stack of its own. */
const MAX_CALLS = 200;
/** Levels of what is not simple down to which each member is looked at by itself: each level looks at all below it. */
const MAX_LOOKS = 4;
/** How often what a `toJSON` gives may have a `toJSON` in its turn. */
const MAX_TO_JSON = 100;

/** Whether `JSON.stringify` writes it just as {@link jsonText} is to. */
function isSimple(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) && !isLikeBigint(value);
    case "object":
      return value === null || (depth < MAX_CALLS && isSimpleObject(value, depth));
    default:
      return false;
  }
}

function isSimpleObject(value: object, depth: number): boolean {
  const { toJSON } = value as { readonly toJSON?: unknown };
  // That of a date may be called here and again: it always gives the same.
  if (typeof toJSON === "function") return toJSON === Date.prototype.toJSON && isPureDate(value);
  if (Array.isArray(value)) {
    // By index, so that what was left out is seen, too.
    for (let index = 0; index < value.length; index += 1) {
      if (!isSimple(value[index], depth + 1)) return false;
    }
    return true;
  }
  if (!isPlain(value)) return false;
  // Faster than to list its names; one that it inherits does no harm here.
  for (const member in value) {
    const of = value[member];
    if (of !== undefined && !isSimple(of, depth + 1)) return false;
  }
  return true;
}

function isPureDate(value: object): boolean {
  return Object.getPrototypeOf(value) === Date.prototype && isDate(value);
}

/** Whether it is a date that is one: another would be written as null. */
function isDate(value: object): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime());
}

/** Whether it would be written in digits alone, which are read as a bigint. */
function isLikeBigint(value: number): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21;
}

/** An array or object that is being written. */
interface Frame {
  readonly of: Readonly<Record<string, unknown>> | readonly unknown[];
  /** An object's members; undefined of an array. */
  readonly names: readonly string[] | undefined;
  readonly length: number;
  /** The one that is being written. */
  at: number;
  /** Whether another one stands before it. */
  behind: boolean;
  /** It, and what has a `toJSON` that has led to it: none of them may be inside of it. */
  readonly entered: readonly object[];
}

/** Writes with a stack of its own, so that a value may be nested as deep as there is memory. */
class Writer {
  readonly #name: string;
  readonly #frames: Frame[] = [];
  readonly #around = new Set<object>();
  /** How member's names are written: they come again. */
  readonly #names = new Map<string, string>();
  #text = "";

  constructor(name: string) {
    this.#name = name;
  }

  write(value: unknown): string {
    if (typeof value === "object" && value !== null) this.#object(value, "");
    else this.#begin(value, "");
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) this.#go(frame);
    return this.#text;
  }

  /** The next member, or the end. */
  #go(frame: Frame): void {
    frame.at += 1;
    const { at, names, of } = frame;
    if (at === frame.length) {
      this.#text += names === undefined ? "]" : "}";
      for (const object of frame.entered) this.#around.delete(object);
      this.#frames.pop();
      return;
    }
    const name = names?.[at] ?? String(at);
    const value = (of as Readonly<Record<string, unknown>>)[name];
    if (names !== undefined && value === undefined) return;
    if (frame.behind) this.#text += ",";
    frame.behind = true;
    if (names !== undefined) this.#text += this.#nameText(name);
    this.#begin(value, name);
  }

  /** All of a value that is neither array nor object; of those the bracket. */
  #begin(value: unknown, member: string): void {
    switch (typeof value) {
      case "string":
      case "boolean":
        this.#text += JSON.stringify(value);
        return;
      case "bigint":
        this.#text += value.toString();
        return;
      case "number":
        this.#text += this.#number(value);
        return;
      case "object":
        if (value === null) this.#text += "null";
        else if (this.#frames.length <= MAX_LOOKS && isSimple(value, 0)) this.#text += JSON.stringify(value);
        else this.#object(value, member);
        return;
      default:
        throw this.#wrong(`is ${value === undefined ? "undefined" : `a ${typeof value}`}, which is no JSON.`);
    }
  }

  #nameText(name: string): string {
    let text = this.#names.get(name);
    if (text === undefined) {
      text = `${JSON.stringify(name)}:`;
      this.#names.set(name, text);
    }
    return text;
  }

  #number(value: number): string {
    if (!Number.isFinite(value)) throw this.#wrong(`is ${value}, which JSON has no word for.`);
    if (Object.is(value, -0)) return "-0";
    return isLikeBigint(value) ? value.toExponential() : String(value);
  }

  #object(given: object, member: string): void {
    const entered: object[] = [];
    for (let value: unknown = given; ;) {
      if (typeof value !== "object" || value === null) {
        // Not in the array or object that it stands for, so nothing is inside of it.
        for (const object of entered) this.#around.delete(object);
        this.#begin(value, member);
        return;
      }
      if (this.#around.has(value)) throw this.#wrong("is in itself.");
      this.#around.add(value);
      entered.push(value);
      const { toJSON } = value as { readonly toJSON?: unknown };
      if (typeof toJSON !== "function") {
        this.#open(value, entered);
        return;
      }
      if (value instanceof Date && !isDate(value)) throw this.#wrong("is no date.");
      if (entered.length > MAX_TO_JSON) throw this.#wrong("has a toJSON that gives another, without an end.");
      value = toJSON.call(value, member);
    }
  }

  #open(value: object, entered: readonly object[]): void {
    const rest = { at: -1, behind: false, entered };
    if (Array.isArray(value)) {
      // By index, so that what was left out is seen, too.
      this.#frames.push({ of: value, names: undefined, length: value.length, ...rest });
      this.#text += "[";
    } else if (isPlain(value)) {
      const names = Object.keys(value);
      this.#frames.push({ of: value, names, length: names.length, ...rest });
      this.#text += "{";
    } else {
      throw this.#wrong(
        `is no JSON (${kindOf(value)}): give a plain object, an array, or what has a toJSON.`,
      );
    }
  }

  /** @param why goes on behind where it is */
  #wrong(why: string): TypeError {
    const place = this.#frames.map(({ names, at }) => (names === undefined ? `[${at}]` : `.${names[at]}`));
    return new TypeError(`${this.#name}${place.join("")} ${why}`);
  }
}

/** Whether all that an object is is what its members say; also one that another window or context has made. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

function kindOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
