/** Transactions: compare, then run one of two lists of operations, all or nothing (after etcd's Txn). */

import { KvError } from "../model/errors.ts";
import type { Comparison, Relation, Transaction } from "../model/operation.ts";
import type { OperationOutcome } from "../model/outcome.ts";
import { Refusal } from "../otp/exit.ts";
import { compareBytes, type Value } from "../model/value.ts";
import { integerOf, type Entries } from "./entries.ts";
import type { Executor } from "./executor.ts";
import type { Entry } from "../model/entry.ts";

/** The result of a transaction. */
export interface TransactionOutcome {
  /** True: every comparison held and `then` ran. False: `else` ran. */
  readonly succeeded: boolean;
  readonly outcomes: readonly OperationOutcome[];
}

/**
 * Runs a transaction. Call it inside {@link Entries.write}, which rolls everything back if an operation is refused.
 * @throws {Refusal} with the code of the refused operation; the message names the operation, for example `then[0]`
 */
export function transact(entries: Entries, executor: Executor, transaction: Transaction): TransactionOutcome {
  const succeeded = transaction.if.every((comparison) => holds(entries, comparison));
  const branch = succeeded ? "then" : "else";
  const outcomes = transaction[branch].map((operation, index) => {
    try {
      return executor.perform(operation);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new Refusal(error.code, `${branch}[${index}]: ${error.message} The transaction changed nothing.`);
    }
  });
  return { succeeded, outcomes };
}

function holds(entries: Entries, comparison: Comparison): boolean {
  const { key, is } = comparison;
  if ("exists" in comparison) {
    return relates(Number(entries.info(key) !== undefined) - Number(comparison.exists), is);
  }
  if ("revision" in comparison) {
    return relates((entries.info(key)?.revision ?? 0) - comparison.revision, is);
  }
  const entry = entries.get(key);
  if ("integer" in comparison) {
    const integer = entry && integerOf(entry);
    return integer === undefined ? is === "!=" : relates(compareIntegers(integer, comparison.integer), is);
  }
  return entry === undefined
    ? is === "!="
    : relates(compareBytes(wholeValueOf(key, entry), comparison.value), is);
}

function relates(difference: number, is: Relation): boolean {
  switch (is) {
    case "=":
      return difference === 0;
    case "!=":
      return difference !== 0;
    case "<":
      return difference < 0;
    case "<=":
      return difference <= 0;
    case ">":
      return difference > 0;
    case ">=":
      return difference >= 0;
  }
}

function compareIntegers(one: bigint, other: bigint): number {
  return one < other ? -1 : Number(one > other);
}

function wholeValueOf(key: string, { value, large }: Entry): Value {
  if (large === null) return value;
  throw new KvError(
    "not_comparable",
    `The value of ${JSON.stringify(key)} is too large to compare with. Compare its revision.`,
  );
}
