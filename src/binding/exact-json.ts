/** JSON between Workers that comes back as what it was: beyond 2^53 integers are bigints. */

import { KvError } from "../model/errors.ts";
import { KeptJson } from "../model/kept-json.ts";
import { FREE } from "../schema/kept-members.ts";

/** Members that are integers of 64 bits, which may be written in digits. */
const INTEGERS: ReadonlySet<string> = new Set(["by", "initial", "integer"]);

/** Where a number may stand that a double does not hold: to look at each of them costs more than to parse. */
const LONG_NUMBER = /(?:^|[:[,\s])-?(?:\d{16}|\d+(?:\.\d+)?[eE]|\d+\.\d{300})/;

interface Source {
  readonly source: string;
}
type Reviver = (name: string, value: unknown, context: Source) => unknown;
/** Of the platform's, and not yet in TypeScript's types: a number's own text, both ways. */
const platform = JSON as unknown as {
  parse(text: string, reviver: Reviver): unknown;
  rawJSON(text: string): object;
};

/**
 * As `JSON.parse`; but an integer beyond 2^53 that is written in digits alone is a bigint, as in the client.
 * @throws {SyntaxError} if it is no JSON
 * @throws {KvError} `value_invalid`, for a number that would become infinite, or 0
 */
export function readJson(text: string): unknown {
  return LONG_NUMBER.test(text) ? platform.parse(text, exactly) : (JSON.parse(text) as unknown);
}

/** With the metadata as {@link readJson} reads it: between Workers it travels as a value, and not as text. */
export function parsedMetadata<T extends { readonly metadata?: unknown }>(json: T): T {
  return json.metadata instanceof KeptJson ? { ...json, metadata: readJson(json.metadata.text) } : json;
}

const exactly: Reviver = (_, value, { source }) => {
  if (typeof value !== "number") return value;
  const isLost = value === 0 && /[1-9]/.test(source.replace(/[eE].*/, ""));
  if (isLost || (!Number.isFinite(value) && !/^-?\d+$/.test(source))) {
    throw new KvError(
      "value_invalid",
      `No number of JavaScript's is ${source.slice(0, 40)}. Read it as text.`,
    );
  }
  return !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? BigInt(source) : value;
};

type InvalidCode = "body_invalid" | "query_invalid";

/**
 * What another Worker has handed over, if it is JSON at any depth: a structured clone may have a Map in it, which would be
 * taken for an object without members. Members may be undefined. In members that are kept as they are sent, and as integers
 * of 64 bits, there may be bigints, too.
 * @returns the same, with numbers that `JSON.stringify` would change as their own text @throws {KvError} with this code
 */
export function plainJson(given: unknown, code: InvalidCode): unknown {
  return new Plain(code).of(given, "", "options");
}

class Plain {
  readonly #code: InvalidCode;
  readonly #around = new Set<object>();

  constructor(code: InvalidCode) {
    this.#code = code;
  }

  /** @param where what an error calls it; nothing for what was handed over itself */
  of(value: unknown, where: string, kind: "options" | "json"): unknown {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        if (!Number.isFinite(value)) throw this.#refused(where, String(value));
        if (kind === "options") return value;
        if (Object.is(value, -0)) return platform.rawJSON("-0");
        // Digits alone would be read as a bigint.
        return Number.isInteger(value) && !Number.isSafeInteger(value)
          ? platform.rawJSON(value.toExponential())
          : value;
      case "bigint":
        if (kind === "options") throw this.#refused(where, "a bigint");
        return platform.rawJSON(value.toString());
      case "object":
        return value === null ? null : this.#members(value, where, kind);
      default:
        throw this.#refused(where, typeof value);
    }
  }

  #members(value: object, where: string, kind: "options" | "json"): object {
    if (this.#around.has(value)) throw this.#refused(where, "it is in itself");
    this.#around.add(value);
    const copy = Array.isArray(value)
      ? // By index, so that what was left out is seen, too.
        Array.from(value, (item: unknown, index) => this.of(item, `${where}[${index}]`, kind))
      : this.#object(value, where, kind);
    this.#around.delete(value);
    return copy;
  }

  #object(value: object, where: string, kind: "options" | "json"): object {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      throw this.#refused(where, Object.prototype.toString.call(value).slice(8, -1));
    }
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([name, member]) => {
          if (kind === "options" && typeof member === "bigint" && INTEGERS.has(name)) {
            return [name, member.toString()];
          }
          const isJson = kind === "json" || FREE.has(name);
          return [
            name,
            this.of(member, where === "" ? name : `${where}.${name}`, isJson ? "json" : "options"),
          ];
        }),
    );
  }

  #refused(where: string, what: string): KvError {
    const subject = where === "" ? "What was given" : where;
    return new KvError(this.#code, `${subject} is no JSON (${what}): give plain objects and arrays.`);
  }
}
