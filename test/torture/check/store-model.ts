/** What a bucket has to do, one operation after the other: the plain model that histories are checked against. */

import type { Operation, Result } from "./history.ts";

/** Keys and values. Immutable. */
export type Store = Readonly<Record<string, string>>;

export const EMPTY: Store = {};

/**
 * Carries out an operation.
 * @param result what the caller was told; undefined if its outcome is unknown
 * @returns the store after it; undefined if the store would not have answered so
 */
export function apply(store: Store, operation: Operation, result: Result | undefined): Store | undefined {
  const after = outcome(store, operation);
  if (result === undefined) return after.store;
  return isSame(after.result, result) ? after.store : undefined;
}

interface Outcome {
  readonly store: Store;
  readonly result: Result;
}

/** What an operation gives. */
export function outcome(store: Store, operation: Operation): Outcome {
  switch (operation.does) {
    case "get":
      return { store, result: store[operation.key] ?? null };
    case "list":
      return { store, result: store };
    case "put":
      return { store: { ...store, [operation.key]: operation.value }, result: true };
    case "both": {
      const { keys, value } = operation;
      return { store: { ...store, ...Object.fromEntries(keys.map((key) => [key, value])) }, result: true };
    }
    case "delete":
      return { store: without(store, operation.key), result: true };
    case "take":
      return { store: without(store, operation.key), result: store[operation.key] ?? null };
    case "increment": {
      const sum = String(Number(store[operation.key] ?? 0) + 1);
      return { store: { ...store, [operation.key]: sum }, result: sum };
    }
    case "add": {
      const isDone = store[operation.key] === undefined;
      return { store: isDone ? { ...store, [operation.key]: operation.value } : store, result: isDone };
    }
    case "replace": {
      const isDone = store[operation.key] === operation.expected;
      return { store: isDone ? { ...store, [operation.key]: operation.value } : store, result: isDone };
    }
  }
}

/** A store as text: the same for the same keys and values. */
export function keyOf(store: Store): string {
  return Object.keys(store)
    .toSorted()
    .map((key) => `${key}=${store[key]}`)
    .join(",");
}

function without(store: Store, key: string): Store {
  const { [key]: _, ...others } = store;
  return others;
}

function isSame(one: Result, other: Result): boolean {
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null)
    return one === other;
  return keyOf(one) === keyOf(other);
}
