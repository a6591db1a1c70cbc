/** The shortest illegal history that is found in an illegal one. */

import { type Call, type Operation, isRead, isUnknown, keysOf, valuesIn } from "./history.ts";
import { check, parts } from "./linearizable.ts";

const isIllegal = (history: readonly Call[]): boolean => check(history) === "illegal";

/**
 * Shortens an illegal history. What is left is illegal, too, and for the same reason: only that is left out without which a
 * legal history would stay legal.
 *
 * 1. All but one part that is illegal.
 * 2. What came after the moment at which it became illegal. Operations that had no answer then have none.
 * 3. Operations that changed nothing, and writes of values that are in no answer.
 */
export function shrink(history: readonly Call[]): Call[] {
  const part = parts(history).find(isIllegal);
  if (part === undefined) throw new Error("the history is not illegal");
  return withoutNeedless(shortestPrefix(part));
}

function shortestPrefix(history: readonly Call[]): Call[] {
  const moments = history
    .flatMap((call) => (isUnknown(call) ? [] : [call.answered]))
    .toSorted((a, b) => a - b);
  // It stays illegal once it is.
  let [legal, illegal] = [-1, moments.length - 1];
  while (illegal - legal > 1) {
    const middle = (legal + illegal) >> 1;
    if (isIllegal(until(history, moments[middle] as number))) illegal = middle;
    else legal = middle;
  }
  return until(history, moments[illegal] as number);
}

/** The history as it was known at a moment. */
function until(history: readonly Call[], moment: number): Call[] {
  return history
    .filter(({ asked }) => asked <= moment)
    .map((call) => {
      if (call.answered <= moment) return call;
      const { result: _, ...open } = call;
      return { ...open, answered: Infinity };
    });
}

function withoutNeedless(history: readonly Call[]): Call[] {
  let left = [...history];
  for (const call of history) {
    if (!mayGo(call, left)) continue;
    const fewer = left.filter((other) => other !== call);
    if (isIllegal(fewer)) left = fewer;
  }
  return left;
}

function mayGo(call: Call, history: readonly Call[]): boolean {
  const { operation, result } = call;
  if (isRead(operation)) return true;
  if ((operation.does === "add" || operation.does === "replace") && result === false) return true;
  if (operation.does !== "put" && operation.does !== "both") return false;
  const keys = keysOf(operation) ?? [];
  return history.every((other) => other === call || !depends(other, operation.value, keys));
}

/** Whether an operation's answer may depend on this value's having been written. */
function depends({ operation, result }: Call, value: string, keys: readonly string[]): boolean {
  const touched = keysOf(operation);
  if (touched !== undefined && !touched.some((key) => keys.includes(key))) return false;
  if (isConditional(operation)) return true;
  return valuesIn(result).includes(value);
}

const isConditional = ({ does }: Operation): boolean =>
  does === "add" || does === "replace" || does === "increment";
