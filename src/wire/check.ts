/** What came over the wire, held against a schema. */

import * as z from "zod/mini";
import { en } from "zod/locales";
import { KvError, type ErrorCode } from "../errors.ts";
import { decodeUtf8 } from "../utf8.ts";

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
  const found = z.safeParse(schema, given);
  if (found.success) return found.data;
  const problems = found.error.issues.slice(0, MAX_PROBLEMS).map(problem);
  throw new KvError(code, `${problems.join(". ")}.`);
}

/**
 * The body's JSON.
 * @throws {KvError} `body_invalid`
 */
export function checkJson<Schema extends z.core.$ZodType>(
  schema: Schema,
  bytes: ArrayBuffer | Uint8Array,
): z.output<Schema> {
  return check(schema, parseJson(bytes), "body_invalid");
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
    given[name] = parameter === undefined ? text : typed(parameter as z.ZodMiniType, text);
  }
  return check(schema, given, "query_invalid");
}

/** @throws {KvError} `body_invalid`: it is no JSON, or has a number that would become another one */
export function parseJson(bytes: ArrayBuffer | Uint8Array): unknown {
  try {
    // What is no UTF-8 is no JSON either: nothing at all does not parse.
    // A byte order mark may stand before it (RFC 8259 §8.1).
    return parseExactly((decodeUtf8(bytes) ?? "").replace(/^\uFEFF/, ""));
  } catch (error) {
    if (error instanceof KvError) throw error;
    throw new KvError("body_invalid", "The body is not JSON in UTF-8.");
  }
}

/** Where a number may stand that a double can't hold: to look at each number costs more than to parse. */
const LONG_NUMBER = /(?:^|[:[,\s])-?(?:\d{16}|\d+(?:\.\d+)?[eE]\+?\d)/;

/**
 * As `JSON.parse`, but it refuses integers that would come back as others, and what would be infinite.
 * @throws {SyntaxError}
 * @throws {KvError} `body_invalid`
 */
export function parseExactly(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text);
  const exact = (_: string, value: unknown, { source }: { readonly source?: string }): unknown => {
    if (typeof value !== "number" || source === undefined || isKept(value, source)) return value;
    throw new KvError("body_invalid", `The number ${source} can't be kept as it is. Send it as text.`);
  };
  return JSON.parse(text, exact as Parameters<typeof JSON.parse>[1]);
}

/** Beyond 2^53 a number is written with the fewest digits that tell it from its neighbours: those come back so. */
function isKept(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return false;
  if (Number.isSafeInteger(value) || !Number.isInteger(value)) return true;
  const given = decimalOf(source);
  return given === decimalOf(String(value)) || given === decimalOf(String(BigInt(value)));
}

/** A number's digits and exponent, however it is written. */
function decimalOf(source: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE](.+))?$/.exec(source) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/** What does not look like the kind that is expected stays text, and the schema says so. */
function typed(schema: z.ZodMiniType, text: string): unknown {
  const { def } = schema;
  if (isOptional(def)) return typed(def.innerType as z.ZodMiniType, text);
  if (def.type === "number" && /^-?\d{1,15}(\.\d+)?$/.test(text)) return Number(text);
  if (def.type === "boolean" && (text === "true" || text === "false")) return text === "true";
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
