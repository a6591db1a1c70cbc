/** Describes a wrong argument in an error's sentence: text and numbers literally, anything else by its kind. */

import { isPlain } from "./stringify-json.ts";

/** Most characters of a text that are quoted. */
const MAX_TEXT = 100;

export function describeValue(given: unknown): string {
  switch (typeof given) {
    case "string":
      return JSON.stringify(given.slice(0, MAX_TEXT));
    case "bigint":
      return `${given}n`;
    case "symbol":
    case "function":
      return `a ${typeof given}`;
    case "object":
      return given === null ? "null" : withArticle(kindOf(given));
    default:
      return String(given);
  }
}

function kindOf(given: object): string {
  if (Array.isArray(given)) return "array";
  if (isPlain(given)) return "object";
  const kind = Object.prototype.toString.call(given).slice(8, -1);
  return kind === "Object" ? "object of a class" : kind;
}

function withArticle(kind: string): string {
  return `${/^[aeiou]/i.test(kind) ? "an" : "a"} ${kind}`;
}
