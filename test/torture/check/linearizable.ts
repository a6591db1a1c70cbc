/**
 * Whether a history is linearizable: whether each operation can be given one moment between its call and its answer, so
 * that the answers are those of a store that carries them out one after the other at these moments.
 *
 * The search is that of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with the changes of Lowe ("Testing
 * for Linearizability", 2017): calls and answers are a linked list from which an operation is lifted when it has its moment,
 * and put back when that leads nowhere; the pairs of lifted operations and store that led nowhere are remembered. An
 * operation without an answer may have any moment after its call, or none.
 *
 * Two rules keep histories with many operations without an answer small. Both change no verdict: those that can't explain any
 * answer are left out; and of those that do the same, the one that was asked first gets its moment first.
 *
 * Operations on different keys have nothing to do with each other unless a transaction or a list spans them, so a history is
 * checked in parts (Herlihy and Wing, "Linearizability", 1990, theorem 1).
 */

import { type Call, isRead, isUnknown, keysOf, type Operation, valuesIn } from "./history.ts";
import { apply, EMPTY, keyOf, type Store } from "./store-model.ts";

/** `unknown`: the search was given up, and says nothing. It never counts as legal. */
export type Verdict = "legal" | "illegal" | "unknown";

/** Pairs of lifted operations and store that are tried for one part of a history. */
const MAX_TRIED = 300_000;

/** @param maxTried after this many tries the verdict is `unknown` */
export function check(history: readonly Call[], maxTried = MAX_TRIED): Verdict {
  const verdicts = parts(history).map((part) => checkPart(withoutIdle(part), maxTried));
  if (verdicts.includes("illegal")) return "illegal";
  return verdicts.includes("unknown") ? "unknown" : "legal";
}

/** Splits a history by key; one part if an operation spans keys. */
export function parts(history: readonly Call[]): Call[][] {
  const byKey = new Map<string, Call[]>();
  for (const call of history) {
    const [key, ...others] = keysOf(call.operation) ?? [];
    if (key === undefined || others.length > 0) return [[...history]];
    byKey.set(key, [...(byKey.get(key) ?? []), call]);
  }
  return [...byKey.values()];
}

/** Without those that have no answer and explain none: reads, and writes of values that none has seen or compared with. */
function withoutIdle(part: readonly Call[]): Call[] {
  const seen = new Set<unknown>();
  for (const { operation, result } of part) {
    if (operation.does === "replace") seen.add(operation.expected);
    for (const value of valuesIn(result)) seen.add(value);
  }
  // A sum shows the number that was there before.
  const summed = new Set(
    part.flatMap(({ operation }) => (operation.does === "increment" ? [operation.key] : [])),
  );
  // An add or a replace that was refused may have been so because of any value.
  const isAnySeen = seen.has(false);
  return part.filter((call) => {
    const { operation } = call;
    if (!isUnknown(call)) return true;
    if (isRead(operation)) return false;
    if (!("value" in operation) || isAnySeen || seen.has(operation.value)) return true;
    return keysOf(operation)?.some((key) => summed.has(key)) === true;
  });
}

const doSame = (one: Operation, other: Operation): boolean =>
  one.does === other.does && "key" in one && "key" in other && one.key === other.key && !("value" in one);

/** Whether one that does the same, and has no answer either, waits for its moment before this one. */
function isBehindItsLike({ call, before }: Entry): boolean {
  if (!isUnknown(call)) return false;
  for (let entry = before; entry?.call !== undefined; entry = entry.before)
    if (isUnknown(entry.call) && doSame(entry.call.operation, call.operation)) return true;
  return false;
}

/** A call or an answer in the list. */
interface Entry {
  readonly at: number;
  readonly call: Call;
  /** Of a call its answer, if there is one; undefined in an answer. */
  answer?: Entry;
  readonly isAnswer: boolean;
  before: Entry | undefined;
  after: Entry | undefined;
  /** The number of the operation. */
  readonly n: number;
}

/** Calls and answers in the order of time, linked. The first one is a sentinel. */
function listOf(history: readonly Call[]): Entry {
  const none = { before: undefined, after: undefined };
  const entries = history.flatMap((call, n): Entry[] => {
    const asked: Entry = { at: call.asked, call, isAnswer: false, n, ...none };
    if (isUnknown(call)) return [asked];
    asked.answer = { at: call.answered, call, isAnswer: true, n, ...none };
    return [asked, asked.answer];
  });
  // At the same time, the call comes first: then the two overlap, which allows more.
  entries.sort((one, other) => one.at - other.at || Number(one.isAnswer) - Number(other.isAnswer));
  const head = { n: -1, ...none } as unknown as Entry;
  let last = head;
  for (const entry of entries) {
    last.after = entry;
    entry.before = last;
    last = entry;
  }
  return head;
}

function unlink(entry: Entry): void {
  (entry.before as Entry).after = entry.after;
  if (entry.after !== undefined) entry.after.before = entry.before;
}

function link(entry: Entry): void {
  (entry.before as Entry).after = entry;
  if (entry.after !== undefined) entry.after.before = entry;
}

function lift(entry: Entry): void {
  unlink(entry);
  if (entry.answer !== undefined) unlink(entry.answer);
}

/** In the opposite order: each finds its neighbours as they were. */
function putBack(entry: Entry): void {
  if (entry.answer !== undefined) link(entry.answer);
  link(entry);
}

function checkPart(history: readonly Call[], maxTried: number): Verdict {
  const head = listOf(history);
  let open = history.filter((call) => !isUnknown(call)).length;
  let store: Store = EMPTY;
  const lifted = new Uint32Array(Math.ceil(history.length / 32));
  const tried = new Set<string>();
  const path: { readonly entry: Entry; readonly before: Store }[] = [];
  let entry = head.after;
  while (open > 0) {
    const isCandidate = entry !== undefined && !entry.isAnswer && !isBehindItsLike(entry);
    const next = isCandidate ? attempt(entry as Entry, store) : undefined;
    if (entry !== undefined && next !== undefined) {
      flip(lifted, entry.n);
      const key = `${lifted.join()}|${keyOf(next)}`;
      if (tried.has(key)) {
        flip(lifted, entry.n);
        entry = entry.after;
        continue;
      }
      if (tried.size === maxTried) return "unknown";
      tried.add(key);
      path.push({ entry, before: store });
      store = next;
      lift(entry);
      if (!isUnknown(entry.call)) open -= 1;
      entry = head.after;
    } else if (entry !== undefined && !entry.isAnswer) entry = entry.after;
    else {
      // An answer whose operation has no moment yet: the last choice was wrong.
      const last = path.pop();
      if (last === undefined) return "illegal";
      ({ before: store } = last);
      flip(lifted, last.entry.n);
      putBack(last.entry);
      if (!isUnknown(last.entry.call)) open += 1;
      entry = last.entry.after;
    }
  }
  return "legal";
}

const attempt = ({ call }: Entry, store: Store): Store | undefined =>
  apply(store, call.operation, call.result);

function flip(bits: Uint32Array, n: number): void {
  bits[n >> 5] = (bits[n >> 5] ?? 0) ^ (1 << (n & 31));
}
