/** JSON between Workers without loss: integers beyond 2^53 are bigints. */

import { KvError } from "../model/errors.ts";
import { KeptJson } from "../model/kept-json.ts";
import { FREE } from "../schema/kept-members.ts";

/** Members that are 64-bit integers; they may be strings of digits. */
const INTEGERS: ReadonlySet<string> = new Set(["by", "initial", "integer"]);

/** Finds text that may contain a number that a double can't hold. Checking each number costs more than parsing. */
const LONG_NUMBER = /(?:^|[:[,\s])-?(?:\d{16}|\d+(?:\.\d+)?[eE]|\d+\.\d{300})/;

interface Source {
  readonly source: string;
}
type Reviver = (name: string, value: unknown, context: Source) => unknown;
/** `JSON.parse` with source text and `JSON.rawJSON`: the platform has them, TypeScript's types do not yet. */
const platform = JSON as unknown as {
  parse(text: string, reviver: Reviver): unknown;
  rawJSON(text: string): object;
};

/**
 * Like `JSON.parse`, but an integer beyond 2^53 that is written only in digits becomes a bigint, as in the client.
 * @throws {SyntaxError} if the text is not JSON
 * @throws {KvError} `value_invalid` for a number that would become infinite or 0
 */
export function readJson(text: string): unknown {
  return LONG_NUMBER.test(text) ? platform.parse(text, exactly) : (JSON.parse(text) as unknown);
}

/** Parses the metadata with {@link readJson}: between Workers it is sent as a value, not as text. */
export function parsedMetadata<T extends { readonly metadata?: unknown }>(json: T): T {
  return json.metadata instanceof KeptJson ? { ...json, metadata: readJson(json.metadata.text) } : json;
}

const exactly: Reviver = (_, value, { source }) => {
  if (typeof value !== "number") return value;
  const isLost = value === 0 && /[1-9]/.test(source.replace(/[eE].*/, ""));
  if (isLost || (!Number.isFinite(value) && !/^-?\d+$/.test(source))) {
    throw new KvError(
      "value_invalid",
      `JavaScript has no number ${source.slice(0, 40)}. Read the value as text.`,
    );
  }
  return !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? BigInt(source) : value;
};

type InvalidCode = "body_invalid" | "query_invalid";

/**
 * Checks that an argument from another Worker is JSON at every depth. A structured clone may contain a Map, which would
 * be read as an object without members. Undefined members are allowed. Bigints are allowed in free JSON (metadata, json)
 * and as 64-bit integers.
 * @returns the same value; numbers that `JSON.stringify` would change are kept as their text
 * @throws {KvError} with this code
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

  /** @param where the path of the value, for errors; empty for the argument itself */
  of(value: unknown, where: string, kind: "options" | "json"): unknown {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        if (!Number.isFinite(value)) throw this.#refused(where, String(value));
        if (kind === "options") return value;
        if (Object.is(value, -0)) return platform.rawJSON("-0");
        // With an exponent, because plain digits would be read as a bigint.
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
    if (this.#around.has(value)) throw this.#refused(where, "it contains itself");
    this.#around.add(value);
    const copy = Array.isArray(value)
      ? // By index, so that holes are seen too.
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
    const subject = where === "" ? "The argument" : where;
    return new KvError(this.#code, `${subject} is not JSON (${what}): pass plain objects and arrays.`);
  }
}
