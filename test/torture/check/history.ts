/** A history: what callers asked of one bucket at the same time, and what they were told. */

/**
 * One operation. Values are unique in a history, so a value says which write it comes from.
 *
 * - `put`, `delete`: always succeed.
 * - `add`: stores `value` if the key does not exist (`If-None-Match: *`).
 * - `replace`: stores `value` if the key has the value `expected` (`If-Match`, with the revision that `expected` was read at).
 * - `take`: reads and deletes.
 * - `increment`: adds one; a missing key counts from 0.
 * - `both`: a transaction that stores `value` under each of `keys`.
 * - `list`: reads all keys at one moment.
 */
export type Operation =
  | { readonly does: "get" | "delete" | "take" | "increment"; readonly key: string }
  | { readonly does: "put" | "add"; readonly key: string; readonly value: string }
  | { readonly does: "replace"; readonly key: string; readonly expected: string; readonly value: string }
  | { readonly does: "both"; readonly keys: readonly string[]; readonly value: string }
  | { readonly does: "list" };

/**
 * What the caller was told. Of a get, take and increment the value, null if there is none; of an add and a replace whether it
 * was done; of a list all values.
 */
export type Result = string | null | boolean | Readonly<Record<string, string>>;

/** An operation with its times, in the order of one clock. */
export interface Call {
  readonly operation: Operation;
  /** The caller, for those who read the history. */
  readonly caller: number;
  /** When it was asked. */
  readonly asked: number;
  /** When its answer came; Infinity if none came: it may take effect at any later time, or never. */
  readonly answered: number;
  /** Of an operation with an answer. */
  readonly result?: Result;
}

/** The values that an answer shows. */
export const valuesIn = (result: Result | undefined): readonly unknown[] =>
  typeof result === "object" && result !== null ? Object.values(result) : [result];

/** Whether the operation's outcome is unknown. */
export const isUnknown = ({ answered }: Call): boolean => answered === Infinity;

/** Whether it changes nothing, whatever its result. */
export const isRead = ({ does }: Operation): boolean => does === "get" || does === "list";

/** The keys that an operation touches; undefined: all. */
export function keysOf(operation: Operation): readonly string[] | undefined {
  if (operation.does === "list") return undefined;
  return operation.does === "both" ? operation.keys : [operation.key];
}

/** One line for people. */
export function inWords({ operation, caller, asked, answered, result }: Call): string {
  const { does, ...rest } = operation;
  const what = Object.values(rest)
    .map((part) => (Array.isArray(part) ? part.join("+") : String(part)))
    .join(" ");
  const answer = answered === Infinity ? "unknown" : JSON.stringify(result ?? null);
  const times = `${asked.toFixed(1)}–${answered === Infinity ? "…" : answered.toFixed(1)} ms`;
  return `caller ${caller}: ${does} ${what} => ${answer}  (${times})`;
}
