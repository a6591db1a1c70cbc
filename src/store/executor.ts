/** Operations on a bucket's entries, as batches and transactions have them, and what each of them gives. */

import { failureOf, KvError, type Failure } from "../model/errors.ts";
import { MAX_RESULT_LENGTH } from "../model/limits.ts";
import { Refusal } from "../otp/exit.ts";
import { jsonLengthOf, type Value } from "../model/value.ts";
import { allows, etag, type Conditions } from "../model/conditions.ts";
import type { Entries } from "./entries.ts";
import type { Increment, Properties } from "../model/entry.ts";
import { entryJson, type EntryJson } from "../schema/entry-json.ts";

export type Operation = { readonly key: string; readonly conditions?: Conditions | undefined } & (
  | { readonly op: "get" }
  | { readonly op: "put"; readonly value: Value; readonly properties: Properties }
  | { readonly op: "delete" }
  | { readonly op: "increment"; readonly increment: Increment }
);

/** A thousand values of this size fit an answer, however JSON writes them. */
const SMALL_BYTES = 1_024;
/** Characters of JSON for one byte, at most: a control character's escape. */
const MAX_JSON_GROWTH = 6;

/** A 64-bit integer in JSON: a number as long as every reader can hold it exactly, else its digits. */
export type IntegerJson = number | string;

export type OperationResult =
  | ({ readonly op: "get"; readonly found: true } & EntryJson)
  | { readonly op: "get"; readonly found: false; readonly key: string }
  | {
      readonly op: "put";
      readonly key: string;
      readonly created: boolean;
      readonly revision: number;
      readonly etag: string;
    }
  | { readonly op: "delete"; readonly key: string; readonly deleted: boolean }
  | ({ readonly op: "increment"; readonly key: string } & Incremented);

export interface Incremented {
  readonly value: IntegerJson;
  readonly created: boolean;
  readonly revision: number;
  readonly etag: string;
}

/** An operation of a batch that was turned down, and changed nothing. */
export interface OperationError {
  readonly op: Operation["op"];
  readonly key: string;
  readonly error: Failure;
}

export interface BatchResult {
  readonly results: readonly (OperationResult | OperationError)[];
}

/** Carries operations out. To be called inside {@link Entries.write}. */
export class Operations {
  readonly #entries: Entries;
  readonly #incarnation: string;
  #answered = 0;
  /** Set when a value had no room. */
  #full: KvError | undefined;

  constructor(entries: Entries, incarnation: string) {
    this.#entries = entries;
    this.#incarnation = incarnation;
  }

  /** Each by itself: one that is turned down leaves the others alone. */
  batch(operations: readonly Operation[]): (OperationResult | OperationError)[] {
    return operations.map((operation) => {
      try {
        return this.perform(operation);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return { op: operation.op, key: operation.key, error: failureOf(error) };
      }
    });
  }

  /** @throws {KvError} changing nothing: `precondition_failed`, `result_too_large`, and as {@link Entries} does */
  perform(operation: Operation): OperationResult {
    const { op, key, conditions } = operation;
    const incarnation = this.#incarnation;
    if (conditions !== undefined && !allows(this.#entries, key, conditions, incarnation)) {
      throw preconditionFailed();
    }
    switch (op) {
      case "get":
        return this.#get(key);
      case "put": {
        const { created, revision } = this.#entries.put(key, operation.value, operation.properties);
        return { op, key, created, revision, etag: etag(incarnation, revision) };
      }
      case "delete":
        return { op, key, deleted: this.#entries.remove(key) };
      case "increment":
        return { op, key, ...this.increment(key, operation.increment) };
    }
  }

  increment(key: string, increment: Increment): Incremented {
    const { value, created, revision } = this.#entries.increment(key, increment);
    return { value: integerJson(value), created, revision, etag: etag(this.#incarnation, revision) };
  }

  #get(key: string): OperationResult {
    // Of a thousand values that have no room, none is to cost what one does: not even to be read.
    if (this.#full !== undefined) {
      const info = this.#entries.info(key);
      if (info?.large === null && info.size > SMALL_BYTES) throw this.#full;
    }
    const entry = this.#entries.get(key);
    if (entry === undefined) return { op: "get", found: false, key };
    // A large value is told of, and read by itself.
    const value = entry.large === null ? entry.value : undefined;
    const length = value === undefined ? 0 : jsonLength(value, entry.size);
    if (this.#answered + length > MAX_RESULT_LENGTH) throw this.#tooLarge();
    this.#answered += length;
    return { op: "get", found: true, ...entryJson(this.#incarnation, key, entry, value) };
  }

  /** From here on only small values still get in. */
  #tooLarge(): KvError {
    this.#full ??= new KvError(
      "result_too_large",
      `One request answers values of at most ${MAX_RESULT_LENGTH} characters of JSON. Read the others in another one.`,
    );
    return this.#full;
  }
}

/** Whether they change nothing, so that to do them again is as good. */
export function readsOnly(operations: readonly Operation[]): boolean {
  return operations.every(({ op }) => op === "get");
}

export function preconditionFailed(): KvError {
  return new KvError(
    "precondition_failed",
    "The condition of this request did not hold. Nothing was changed.",
  );
}

/** How long a value is in JSON; of small ones, how long it may be. */
function jsonLength(value: Value, size: number): number {
  return size <= SMALL_BYTES ? size * MAX_JSON_GROWTH : jsonLengthOf(value);
}

function integerJson(value: bigint): IntegerJson {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
