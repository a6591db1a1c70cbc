/** Checks bodies and queries against a schema, and says what is wrong and where. */

import * as z from "zod/mini";
import { en } from "zod/locales";
import { KvError, type ErrorCode } from "../model/errors.ts";
import { MAX_OPERATIONS } from "../model/limits.ts";
import { decodeUtf8 } from "../lib/utf8.ts";
import { parseElements, parseInPieces, parseRequest, type Element } from "./exact-json.ts";
import { FREE } from "./kept-members.ts";

z.config(en());

/** Problems in one error detail at most. */
const MAX_PROBLEMS = 3;

/**
 * Checks a value against a schema.
 * @returns the value as the schema gives it
 * @throws {KvError} with this code; the detail says what is wrong, and where
 */
export function check<Schema extends z.core.$ZodType>(
  schema: Schema,
  given: unknown,
  code: Extract<ErrorCode, "body_invalid" | "query_invalid">,
): z.output<Schema> {
  // Check the sizes first: the schema would check each of too many members before it checks their number.
  refuseTooMany(given, 0, code);
  const found = z.safeParse(schema, given);
  if (found.success) return found.data;
  const problems = found.error.issues.slice(0, MAX_PROBLEMS).map(problem);
  throw new KvError(code, `${problems.join(". ")}.`);
}

/**
 * Parses a body as JSON and checks it against a schema.
 * @throws {KvError} `body_invalid`
 */
export async function checkJson<Schema extends z.core.$ZodType>(
  schema: Schema,
  body: ArrayBuffer | Uint8Array | string,
): Promise<z.output<Schema>> {
  return check(schema, await parseJsonInPieces(body), "body_invalid");
}

/**
 * Converts a query's parameters to the schema's types (text, number or boolean) and checks them.
 * @throws {KvError} `query_invalid`
 */
export function checkQuery<Shape extends z.core.$ZodShape>(
  schema: z.ZodMiniObject<Shape, z.core.$strict>,
  query: URLSearchParams,
): z.output<z.ZodMiniObject<Shape, z.core.$strict>> {
  const given = Object.create(null) as Record<string, unknown>;
  for (const [name, text] of query) {
    // With two values the intended one is unknown.
    if (Object.hasOwn(given, name)) throw new KvError("query_invalid", `?${name}= is given twice.`);
    const parameter = Object.hasOwn(schema.shape, name) ? schema.shape[name] : undefined;
    given[name] = parameter === undefined ? text : typed(name, parameter as z.ZodMiniType, text);
  }
  return check(schema, given, "query_invalid");
}

/** Parses a body as JSON. @throws {KvError} `body_invalid` if it is not JSON, or has a number that a double would change */
export function parseJson(bytes: ArrayBuffer | Uint8Array): unknown {
  try {
    return parseRequest(textOf(bytes));
  } catch (error) {
    throw noJson(error);
  }
}

/** As {@link parseJson}, but parses a long body in pieces, so other requests run in between. */
export function parseJsonInPieces(body: ArrayBuffer | Uint8Array | string): Promise<unknown> {
  return orNoJson(() => parseInPieces(textOf(body)));
}

/** As {@link parseElements}, for a body. @throws {KvError} `body_invalid` if it is not JSON */
export function elementsOf(
  body: ArrayBuffer | Uint8Array | string,
  limit: number,
): Promise<Element[] | undefined> {
  return orNoJson(() => parseElements(textOf(body), limit));
}

async function orNoJson<T>(parse: () => Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    throw noJson(error);
  }
}

/** The body as text. A body that is not UTF-8 becomes the empty text, which is not JSON either. */
function textOf(body: ArrayBuffer | Uint8Array | string): string {
  const text = typeof body === "string" ? body : (decodeUtf8(body) ?? "");
  // A byte order mark may precede the JSON (RFC 8259 §8.1).
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

function noJson(error: unknown): KvError {
  return error instanceof KvError ? error : new KvError("body_invalid", "The body is not JSON in UTF-8.");
}

/** Levels of lists in a request: message, request, transaction, branch, operation, and its members. */
const MAX_LIST_DEPTH = 6;
/** Members of an object at most: more than any object of the API has, and enough to report a few unknown ones. */
const MAX_NAMES = 50;

function refuseTooMany(given: unknown, depth: number, code: ErrorCode): void {
  if (typeof given !== "object" || given === null || depth === MAX_LIST_DEPTH) return;
  if (!Array.isArray(given)) {
    const names = Object.keys(given);
    if (names.length > MAX_NAMES) {
      throw new KvError(code, `Too big: an object has at most ${MAX_NAMES} members here.`);
    }
    for (const name of names) {
      if (!FREE.has(name)) refuseTooMany((given as Record<string, unknown>)[name], depth + 1, code);
    }
    return;
  }
  if (given.length > MAX_OPERATIONS) {
    throw new KvError(code, `Too big: expected array to have <=${MAX_OPERATIONS} items.`);
  }
  for (const member of given) refuseTooMany(member, depth + 1, code);
}

/** A number as JSON writes it, which is what the OpenAPI description promises. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * One parameter, converted to the schema's type.
 * @throws {KvError} `query_invalid`, which quotes the query and not the converted value
 */
function typed(name: string, schema: z.ZodMiniType, text: string): unknown {
  const { def } = schema;
  if (isOptional(def)) return typed(name, def.innerType as z.ZodMiniType, text);
  if (def.type === "number") {
    if (NUMBER.test(text)) return Number(text);
    throw new KvError("query_invalid", `${name}: a number is written as in JSON: 100, 0.5 or 1e3.`);
  }
  if (def.type === "boolean") {
    if (text === "true" || text === "false") return text === "true";
    throw new KvError("query_invalid", `${name}: expected true or false.`);
  }
  return text;
}

/**
 * The problem with the alternative of a union that the caller probably meant: the one with the fewest problems at the
 * outer level, and among these the one with the deepest problem. Undefined if two alternatives are equally probable.
 */
function nearestOf(alternatives: readonly (readonly z.core.$ZodIssue[])[]): z.core.$ZodIssue | undefined {
  const [nearest, next] = alternatives
    .map((issues) => {
      const depths = issues.map(({ path }) => path.length);
      return { issues, outside: depths.filter((depth) => depth < 2).length, depth: Math.max(0, ...depths) };
    })
    .toSorted((one, other) => one.outside - other.outside || other.depth - one.depth);
  if (nearest === undefined || next === undefined) return undefined;
  return nearest.outside === next.outside && nearest.depth === next.depth ? undefined : nearest.issues[0];
}

function isOptional(def: z.core.$ZodTypeDef): def is z.core.$ZodOptionalDef {
  return def.type === "optional";
}

/** One problem as text: its place in the value, and the message. */
function problem(issue: z.core.$ZodIssue): string {
  const nearest = issue.code === "invalid_union" ? nearestOf(issue.errors) : undefined;
  if (nearest !== undefined) return problem({ ...nearest, path: [...issue.path, ...nearest.path] });
  const { path, message } = issue;
  const where = path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : `${text}${text && "."}${String(part)}`),
    "",
  );
  return where === "" ? message : `${where}: ${message}`;
}
