/** What came over the wire, held against a schema. */

import * as z from "zod/mini";
import { en } from "zod/locales";
import { KvError, type ErrorCode } from "../model/errors.ts";
import { MAX_OPERATIONS } from "../model/limits.ts";
import { decodeUtf8 } from "../lib/utf8.ts";
import { parseElements, parseInPieces, parseRequest, type Element } from "./exact-json.ts";
import { FREE } from "./kept-members.ts";

z.config(en());

/** Problems that are told of at once. */
const MAX_PROBLEMS = 3;

/**
 * @returns `given`, if the schema takes it.
 * @throws {KvError} with this code; it says what is wrong, and where.
 */
export function check<Schema extends z.core.$ZodType>(
  schema: Schema,
  given: unknown,
  code: Extract<ErrorCode, "body_invalid" | "query_invalid">,
): z.output<Schema> {
  // First of all: each of them would be held against the schema before it finds that there are too many.
  refuseTooMany(given, 0, code);
  const found = z.safeParse(schema, given);
  if (found.success) return found.data;
  const problems = found.error.issues.slice(0, MAX_PROBLEMS).map(problem);
  throw new KvError(code, `${problems.join(". ")}.`);
}

/**
 * The body's JSON.
 * @throws {KvError} `body_invalid`
 */
export async function checkJson<Schema extends z.core.$ZodType>(
  schema: Schema,
  body: ArrayBuffer | Uint8Array | string,
): Promise<z.output<Schema>> {
  return check(schema, await parseJsonInPieces(body), "body_invalid");
}

/**
 * A query's parameters, each as the kind of value that the schema has for it.
 * @throws {KvError} `query_invalid`
 */
export function checkQuery<Shape extends z.core.$ZodShape>(
  schema: z.ZodMiniObject<Shape, z.core.$strict>,
  query: URLSearchParams,
): z.output<z.ZodMiniObject<Shape, z.core.$strict>> {
  const given = Object.create(null) as Record<string, unknown>;
  for (const [name, text] of query) {
    // Said twice it could be meant either way.
    if (Object.hasOwn(given, name)) throw new KvError("query_invalid", `?${name}= is given twice.`);
    const parameter = Object.hasOwn(schema.shape, name) ? schema.shape[name] : undefined;
    given[name] = parameter === undefined ? text : typed(name, parameter as z.ZodMiniType, text);
  }
  return check(schema, given, "query_invalid");
}

/** @throws {KvError} `body_invalid`: it is no JSON, or has a number that would become another one */
export function parseJson(bytes: ArrayBuffer | Uint8Array): unknown {
  try {
    return parseRequest(textOf(bytes));
  } catch (error) {
    throw noJson(error);
  }
}

/** As {@link parseJson}; others are let in between the pieces of a long one. */
export function parseJsonInPieces(body: ArrayBuffer | Uint8Array | string): Promise<unknown> {
  return orNoJson(() => parseInPieces(textOf(body)));
}

/** As {@link parseElements}, of a body. @throws {KvError} `body_invalid` */
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

/** What is no UTF-8 is no JSON either: nothing at all does not parse. */
function textOf(body: ArrayBuffer | Uint8Array | string): string {
  const text = typeof body === "string" ? body : (decodeUtf8(body) ?? "");
  // A byte order mark may stand before it (RFC 8259 §8.1).
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

function noJson(error: unknown): KvError {
  return error instanceof KvError ? error : new KvError("body_invalid", "The body is not JSON in UTF-8.");
}

/** A message's requests' transaction's branch's operations. */
const MAX_LIST_DEPTH = 6;
/** Members of any object of ours, and more than enough to say of a few what is wrong with them. */
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

/** As JSON writes it: whoever reads the description sends it so. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** @throws {KvError} `query_invalid`, in words of what was written and not of what that is in the Worker */
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
 * What is wrong by the alternative that was probably meant: the one that has least to say of the outside, and then of
 * what lies deepest. Undefined where none is meant more than another.
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
