/** Checks the options of every method. Unknown and invalid options are refused, not ignored. */

import { InvalidRequestError } from "./errors.ts";
import { longNumbers } from "./exact-json.ts";
import { isPlain, stringifyJson } from "./stringify-json.ts";
import { describeValue } from "./describe-value.ts";

/** @returns undefined if the value is valid; otherwise the rest of a sentence that begins with the option's name */
type Rule = (given: unknown) => string | undefined;
export type Rules = Readonly<Record<string, Rule>>;

const kind =
  (what: string, is: (given: unknown) => boolean): Rule =>
  (given) =>
    is(given) ? undefined : `has to be ${what}`;

const text = kind("text", (given) => typeof given === "string");
/** Not empty: `fetch` would leave out an empty header, and the service would store its default type. */
const contentType = kind(
  "a content type, such as text/plain",
  (given) => typeof given === "string" && given.trim() !== "",
);
const flag = kind("true or false", (given) => typeof given === "boolean");
const milliseconds = kind(
  "a number of milliseconds, or Infinity",
  (given) => Number(given) >= 0 && isNumber(given),
);
/** A bigint of any size, or a number up to 2^53. */
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
const seconds = kind(
  "a number of seconds, or Infinity for never",
  (given) => Number.isFinite(given) || given === Infinity,
);
const date = kind("a Date", (given) => given instanceof Date && !Number.isNaN(given.getTime()));
const signal = kind(
  "an AbortSignal",
  (given) => typeof given === "object" && given !== null && "aborted" in given && "addEventListener" in given,
);
const functional = kind("a function", (given) => typeof given === "function");

function metadata(given: unknown): string | undefined {
  try {
    const rounded = [...longNumbers(stringifyJson(given))].find(({ source }) => isRounded(source));
    if (rounded === undefined) return undefined;
    return `can't keep ${rounded.source.slice(0, MAX_SHOWN)}, which a double rounds. Send it as text.`;
  } catch (error) {
    return `has to be JSON. ${(error as Error).message.replace(/^The value/, "metadata")}`;
  }
}

/** Most characters of a number that an error quotes. */
const MAX_SHOWN = 40;

/** Whether it is an integer, written as digits only, that a double would round. The service refuses those. */
function isRounded(source: string): boolean {
  const double = Number(source);
  return /^-?\d+$/.test(source) && (!Number.isFinite(double) || BigInt(double) !== BigInt(source));
}

const any: Rule = () => undefined;
const array = kind("an array", Array.isArray);
const count = kind("a whole number", isCount);
const size = kind("a whole number above 0", (given) => isCount(given) && Number(given) > 0);

const CALL: Rules = { signal, timeoutMs: milliseconds };
const ONCE: Rules = { idempotencyKey: text };
const CONDITIONS: Rules = { ifMatch: tags, ifNoneMatch: tags };
const PROPERTIES: Rules = { type: contentType, ttl: seconds, expires: date, metadata };
const INCREMENT: Rules = { by: integer, initial: integer, ttl: seconds };
/** Options of a new bucket. */
const BUCKET: Rules = { restart: text, locationHint: text, jurisdiction: text, metadata };
/** Members of the range that `deleteRange` deletes. */
export const RANGE: Rules = { prefix: text, start: text, end: text };
const PREFIX: Rules = { prefix: text };
/** The key is checked elsewhere (`checkedKey`), and the value by the codec. */
const TARGET: Rules = { op: any, key: any };

/** The options of each method. */
const METHODS = {
  get: CALL,
  entry: CALL,
  has: CALL,
  put: { ...PROPERTIES, ...CONDITIONS, ...CALL },
  delete: { ...CONDITIONS, ...CALL },
  getAndDelete: { ...CONDITIONS, ...CALL },
  getAndDeleteEntry: { ...CONDITIONS, ...CALL },
  increment: { ...INCREMENT, ...CONDITIONS, ...ONCE, ...CALL },
  update: { ...PROPERTIES, ...CALL },
  // `limit` is checked in Bucket.list, under another code.
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
    onOpen: functional,
    signal,
  },
  export: { ...PREFIX, ...CALL },
  session: {},
  import: { onError: text, partBytes: size, incarnation: text, onPart: functional, ...CALL },
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
    schema: kind(
      "a schema of a library that follows Standard Schema",
      // Some libraries' schemas are functions.
      (given) =>
        ((typeof given === "object" && given !== null) || typeof given === "function") &&
        "~standard" in given,
    ),
    create: (given) =>
      typeof given === "boolean" ? undefined : problemOf(given, BUCKET, "create")?.replace(/^create:? /, ""),
    ttl: kind("a number of seconds above 0", (given) => Number.isFinite(given) && Number(given) > 0),
  },
  create: { ...BUCKET, ...CALL },
  connect: {},
  lookup: CALL,
  stop: CALL,
  exit: CALL,
  monitor: { signal },
  buckets: { ...PREFIX, ...CALL },
} satisfies Record<string, Rules>;

/** The options of `new Kv`. `url` and `token` are checked there, under codes of their own. */
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

/** The members of a batch's or transaction's operations. */
export const OPERATIONS: ReadonlyMap<unknown, Rules> = new Map<unknown, Rules>([
  ["get", { ...TARGET, ...CONDITIONS }],
  ["put", { ...TARGET, value: any, ...PROPERTIES, ...CONDITIONS }],
  ["delete", { ...TARGET, ...CONDITIONS }],
  ["getAndDelete", { ...TARGET, ...CONDITIONS }],
  ["increment", { ...TARGET, ...INCREMENT, ...CONDITIONS }],
]);
export const COMPARISON: Rules = { key: any, is: text, exists: flag, revision: count, integer, value: any };
export const TRANSACTION: Rules = { if: array, then: array, else: array };

/** @throws {InvalidRequestError} `options_invalid` for unknown or invalid options of a method */
export function checkOptions(method: keyof typeof METHODS, given: unknown): void {
  const problem = problemOf(given, METHODS[method], method);
  if (problem !== undefined) throw invalidRequest("options_invalid", problem);
}

/**
 * Checks an object that is not a method's options, such as an operation.
 * @param of its name, at the beginning of the error's sentence
 * @throws {InvalidRequestError} with this code if a member is unknown or invalid
 */
export function checkMembers(given: unknown, rules: Rules, of: string, code = "options_invalid"): void {
  const problem = isPlain(given)
    ? problemOf(given, rules, of)
    : `${of} has to be an object, and not ${describeValue(given)}.`;
  if (problem !== undefined) throw invalidRequest(code, problem);
}

/** @param of the method's name @returns what is wrong with the options; undefined if they are valid */
export function problemOf(given: unknown, rules: Rules, of: string): string | undefined {
  if (!isPlain(given)) return `${of} takes its options as an object, and not ${describeValue(given)}.`;
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined)
      return `${of} takes no ${name}. It takes ${Object.keys(rules).join(", ") || "no options"}.`;
    const wrong = value === undefined ? undefined : rule(value);
    if (wrong !== undefined)
      return `${of}: ${name} ${wrong}${wrong.endsWith(".") ? "" : `, and not ${describeValue(value)}.`}`;
  }
  return undefined;
}

/** The error for an invalid call, which was not sent. */
export function invalidRequest(code: string, why: string, cause?: unknown): InvalidRequestError {
  // The text may come from the caller's own codec and lack a full stop.
  const sentence = /[.!?]$/.test(why) ? why : `${why}.`;
  return new InvalidRequestError(code, `${sentence} Nothing was sent.`, { status: 400, cause });
}

function isNumber(given: unknown): boolean {
  return typeof given === "number";
}

function isCount(given: unknown): boolean {
  return given === Infinity || (Number.isSafeInteger(given) && Number(given) >= 0);
}
