/** What a method may be told: options that it does not know, or that can't be meant, are refused and not left out. */

import { InvalidRequestError } from "./errors.ts";
import { longNumbers } from "./exact-json.ts";
import { isPlain, jsonText } from "./json-text.ts";
import { shown } from "./shown.ts";

/** @returns what an option has to be, if it is not; a sentence goes on with it behind its name */
type Rule = (given: unknown) => string | undefined;
export type Rules = Readonly<Record<string, Rule>>;

const kind =
  (what: string, is: (given: unknown) => boolean): Rule =>
  (given) =>
    is(given) ? undefined : `has to be ${what}`;

const text = kind("text", (given) => typeof given === "string");
/** One that is empty would not be sent, and another one kept. */
const contentType = kind(
  "a content type, such as text/plain",
  (given) => typeof given === "string" && given.trim() !== "",
);
const flag = kind("true or false", (given) => typeof given === "boolean");
const milliseconds = kind(
  "a number of milliseconds, or Infinity",
  (given) => Number(given) >= 0 && isNumber(given),
);
/** A bigint may have any size, and a number is whole up to 2^53. */
const integer = kind(
  "a whole number; beyond 2^53 a bigint",
  (given) => typeof given === "bigint" || Number.isSafeInteger(given),
);
const tags = kind(
  "an etag, or several",
  (given) =>
    typeof given === "string" ||
    (Array.isArray(given) && Array.from<unknown>(given).every((tag) => typeof tag === "string")),
);
const seconds = kind("a number of seconds", Number.isFinite);
const date = kind("a Date", (given) => given instanceof Date && !Number.isNaN(given.getTime()));
const signal = kind(
  "an AbortSignal",
  (given) => typeof given === "object" && given !== null && "aborted" in given && "addEventListener" in given,
);
const functional = kind("a function", (given) => typeof given === "function");

function metadata(given: unknown): string | undefined {
  try {
    const rounded = [...longNumbers(jsonText(given))].find(({ source }) => isRounded(source));
    if (rounded === undefined) return undefined;
    return `can't keep ${rounded.source.slice(0, MAX_SHOWN)}, which a double rounds. Send it as text.`;
  } catch (error) {
    return `has to be JSON. ${(error as Error).message.replace(/^The value/, "metadata")}`;
  }
}

/** Characters of a number that an error shows. */
const MAX_SHOWN = 40;

/** Whether it is an integer, written in digits alone, that a double does not hold: the service refuses those. */
function isRounded(source: string): boolean {
  const double = Number(source);
  return /^-?\d+$/.test(source) && (!Number.isFinite(double) || BigInt(double) !== BigInt(source));
}

const any: Rule = () => undefined;
const array = kind("an array", Array.isArray);
const count = kind("a whole number", isCount);

const CALL: Rules = { signal, timeoutMs: milliseconds };
const ONCE: Rules = { idempotencyKey: text };
const CONDITIONS: Rules = { ifMatch: tags, ifNoneMatch: tags };
const PROPERTIES: Rules = { type: contentType, ttl: seconds, expires: date, metadata };
const INCREMENT: Rules = { by: integer, initial: integer, ttl: seconds };
/** What `deleteRange` deletes. */
export const RANGE: Rules = { prefix: text, start: text, end: text };
const PREFIX: Rules = { prefix: text };
/** The key is checked beside, and a value by its codec. */
const TARGET: Rules = { op: any, key: any };

/** What each method takes. */
const METHODS = {
  get: CALL,
  entry: CALL,
  has: CALL,
  put: { ...PROPERTIES, ...CONDITIONS, ...CALL },
  delete: { ...CONDITIONS, ...CALL },
  increment: { ...INCREMENT, ...CONDITIONS, ...ONCE, ...CALL },
  update: { ...PROPERTIES, ...CALL },
  // How many is checked beside.
  list: {
    ...RANGE,
    reverse: flag,
    values: flag,
    cursor: text,
    limit: any,
    ...CALL,
  },
  deleteRange: CALL,
  batch: CALL,
  transaction: { ...ONCE, ...CALL },
  watch: {
    ...PREFIX,
    key: text,
    values: flag,
    snapshot: flag,
    since: kind("an id, or a revision", (given) => typeof given === "string" || isCount(given)),
    signal,
  },
  export: { ...PREFIX, ...CALL },
  session: {},
  import: { onError: text, ...CALL },
  bucket: {
    codec: kind(
      "{ type, encode, decode }, a content type and two functions",
      (given) =>
        typeof given === "object" &&
        given !== null &&
        "type" in given &&
        contentType(given.type) === undefined &&
        "encode" in given &&
        "decode" in given &&
        typeof given.encode === "function" &&
        typeof given.decode === "function",
    ),
  },
  create: { restart: text, locationHint: text, jurisdiction: text, metadata, ...CALL },
  connect: {},
  lookup: CALL,
  stop: CALL,
  exit: CALL,
  monitor: { signal },
  buckets: { ...PREFIX, ...CALL },
} satisfies Record<string, Rules>;

/** What `new Kv` takes. An address and a token have codes of their own. */
export const CLIENT: Rules = {
  url: any,
  token: any,
  timeoutMs: milliseconds,
  retries: kind("a whole number from 0 on, or Infinity", isCount),
  retryBaseMs: milliseconds,
  silenceMs: milliseconds,
  fetch: functional,
  WebSocket: functional,
};

/** What an operation of a batch or transaction may have. */
export const OPERATIONS: ReadonlyMap<unknown, Rules> = new Map<unknown, Rules>([
  ["get", { ...TARGET, ...CONDITIONS }],
  ["put", { ...TARGET, value: any, ...PROPERTIES, ...CONDITIONS }],
  ["delete", { ...TARGET, ...CONDITIONS }],
  ["increment", { ...TARGET, ...INCREMENT, ...CONDITIONS }],
]);
export const COMPARISON: Rules = { key: any, is: text, exists: flag, revision: count, integer, value: any };
export const TRANSACTION: Rules = { if: array, then: array, else: array };

/** @throws {InvalidRequestError} `options_invalid`, if the method does not take them */
export function checkOptions(method: keyof typeof METHODS, given: unknown): void {
  const problem = problemOf(given, METHODS[method], method);
  if (problem !== undefined) throw refused("options_invalid", problem);
}

/**
 * Looks at what is no method's options.
 * @param of what it is, as a sentence begins with it
 * @throws {InvalidRequestError} with this code, if it has other members, or one that can't be meant
 */
export function checkMembers(given: unknown, rules: Rules, of: string, code = "options_invalid"): void {
  const problem = isPlain(given)
    ? problemOf(given, rules, of)
    : `${of} has to be an object, and not ${shown(given)}.`;
  if (problem !== undefined) throw refused(code, problem);
}

/** What is wrong with the options; undefined if nothing is. @param of whose they are */
export function problemOf(given: unknown, rules: Rules, of: string): string | undefined {
  if (!isPlain(given)) return `${of} takes its options as an object, and not ${shown(given)}.`;
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined)
      return `${of} takes no ${name}. It takes ${Object.keys(rules).join(", ") || "no options"}.`;
    const wrong = value === undefined ? undefined : rule(value);
    if (wrong !== undefined)
      return `${of}: ${name} ${wrong}${wrong.endsWith(".") ? "" : `, and not ${shown(value)}.`}`;
  }
  return undefined;
}

/** The error for what was not sent because it can't be meant. */
export function refused(code: string, why: string, cause?: unknown): InvalidRequestError {
  // A codec of the caller's own may have said why, in words that are no sentence.
  const sentence = /[.!?]$/.test(why) ? why : `${why}.`;
  return new InvalidRequestError(code, `${sentence} Nothing was sent.`, { status: 400, cause });
}

function isNumber(given: unknown): boolean {
  return typeof given === "number";
}

function isCount(given: unknown): boolean {
  return given === Infinity || (Number.isSafeInteger(given) && Number(given) >= 0);
}
