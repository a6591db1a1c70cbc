/** A JSON writer that keeps values exact: integers of any size, and an error for values that JSON can't express. */

/**
 * Like `JSON.stringify`, but a bigint is written as an integer, a number beyond 2^53 with an exponent (so that
 * `parseJson` reads a number again), and -0 as -0. `toJSON` is called, and undefined members are left out.
 * @param name the value's name in error messages
 * @throws {TypeError} for a value that is not JSON, at any depth; the message has its path
 */
export function stringifyJson(value: unknown, name = "The value"): string {
  // JSON.stringify is many times faster than the writer below, even after a walk over the whole value.
  return isSimple(value, 0) ? JSON.stringify(value) : new Writer(name).write(value);
}

/** Depth up to which {@link isSimple} recurses. Deeper and cyclic values go to the writer, which does not recurse. */
const MAX_CALLS = 200;
/** Depth up to which the writer tests single members with {@link isSimple}: each test walks all that is below it. */
const MAX_LOOKS = 4;
/** Longest chain of `toJSON` methods whose results have a `toJSON` again. */
const MAX_TO_JSON = 100;

/** Whether `JSON.stringify` writes the value exactly as {@link stringifyJson} must. */
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
  // Only Date's own toJSON: it may be called twice, since it always returns the same.
  if (typeof toJSON === "function") return toJSON === Date.prototype.toJSON && isPureDate(value);
  if (Array.isArray(value)) {
    // By index, so that holes in the array are seen.
    for (let index = 0; index < value.length; index += 1) {
      if (!isSimple(value[index], depth + 1)) return false;
    }
    return true;
  }
  if (!isPlain(value)) return false;
  // for-in is faster than Object.keys. Inherited members do no harm here.
  for (const member in value) {
    const of = value[member];
    if (of !== undefined && !isSimple(of, depth + 1)) return false;
  }
  return true;
}

function isPureDate(value: object): boolean {
  return Object.getPrototypeOf(value) === Date.prototype && isDate(value);
}

/** Whether it is a valid date: JSON.stringify writes an invalid one as null. */
function isDate(value: object): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime());
}

/** Whether it would be written as digits only, which `parseJson` reads as a bigint. */
function isLikeBigint(value: number): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21;
}

/** An array or object that is currently being written. */
interface Frame {
  readonly of: Readonly<Record<string, unknown>> | readonly unknown[];
  /** Names of an object's members; undefined for an array. */
  readonly names: readonly string[] | undefined;
  readonly length: number;
  /** Index of the current member. */
  at: number;
  /** Whether a member has been written already, so that the next one needs a comma. */
  needsComma: boolean;
  /** This object, and those whose `toJSON` led to it. Any of them inside means a cycle. */
  readonly entered: readonly object[];
}

/** Writes with an explicit stack, so that only memory limits the depth. */
class Writer {
  readonly #name: string;
  readonly #frames: Frame[] = [];
  readonly #around = new Set<object>();
  /** Cache of encoded member names: in arrays of objects they repeat. */
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

  /** Writes the frame's next member, or closes the frame. */
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
    if (frame.needsComma) this.#text += ",";
    frame.needsComma = true;
    if (names !== undefined) this.#text += this.#nameText(name);
    this.#begin(value, name);
  }

  /** Writes a scalar, or opens an array or object. */
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
        throw this.#wrong(
          `is ${value === undefined ? "undefined" : `a ${typeof value}`}, which is not JSON.`,
        );
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
    if (!Number.isFinite(value)) throw this.#wrong(`is ${value}, which JSON can't express.`);
    if (Object.is(value, -0)) return "-0";
    return isLikeBigint(value) ? value.toExponential() : String(value);
  }

  #object(given: object, member: string): void {
    const entered: object[] = [];
    for (let value: unknown = given; ;) {
      if (typeof value !== "object" || value === null) {
        // toJSON returned a scalar, so nothing can be nested inside these objects.
        for (const object of entered) this.#around.delete(object);
        this.#begin(value, member);
        return;
      }
      if (this.#around.has(value)) throw this.#wrong("contains itself, which JSON can't express.");
      this.#around.add(value);
      entered.push(value);
      const { toJSON } = value as { readonly toJSON?: unknown };
      if (typeof toJSON !== "function") {
        this.#open(value, entered);
        return;
      }
      if (value instanceof Date && !isDate(value)) throw this.#wrong("is an invalid Date.");
      if (entered.length > MAX_TO_JSON)
        throw this.#wrong("has a toJSON whose results have a toJSON again, without end.");
      value = toJSON.call(value, member);
    }
  }

  #open(value: object, entered: readonly object[]): void {
    const rest = { at: -1, needsComma: false, entered };
    if (Array.isArray(value)) {
      // By index, so that holes in the array are seen.
      this.#frames.push({ of: value, names: undefined, length: value.length, ...rest });
      this.#text += "[";
    } else if (isPlain(value)) {
      const names = Object.keys(value);
      this.#frames.push({ of: value, names, length: names.length, ...rest });
      this.#text += "{";
    } else {
      throw this.#wrong(
        `is not JSON (${kindOf(value)}): give a plain object, an array, or an object with a toJSON method.`,
      );
    }
  }

  /** @param why the rest of the sentence, after the path of the value */
  #wrong(why: string): TypeError {
    const place = this.#frames.map(({ names, at }) => (names === undefined ? `[${at}]` : `.${names[at]}`));
    return new TypeError(`${this.#name}${place.join("")} ${why}`);
  }
}

/** Whether it is a plain object, also one of another window or context. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

function kindOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
