/**
 * The executor: the one place where operations of batches and transactions, single calls and text commands become reads
 * and writes of a bucket's entries. Synchronous; call it inside {@link Entries.write}.
 */

import { allows, etag, matchHolds, noneMatchHolds, type Conditions } from "../model/conditions.ts";
import type { Entry, EntryInfo, Properties } from "../model/entry.ts";
import { failureOf, KvError, preconditionFailed } from "../model/errors.ts";
import type { Operation, Step } from "../model/operation.ts";
import type { LargeValue } from "../model/large-value.ts";
import type { Found, OperationOutcome, Outcome, Refused } from "../model/outcome.ts";
import type { Value } from "../model/value.ts";
import { Refusal } from "../otp/exit.ts";
import type { Entries } from "./entries.ts";

/** Limits how many values one response may include. */
export interface Room {
  /** Whether a value was refused. From then on {@link refuseUnread} is called before each further read. */
  readonly isFull: boolean;
  /** @throws {Refusal} if this value must not be read; `info` is undefined for a missing key */
  refuseUnread(info: EntryInfo | undefined): void;
  /** Called with each entry that was read. @throws {Refusal} if its value does not fit the response */
  admit(entry: Entry): void;
}

/** Runs steps on the entries of one incarnation. */
export class Executor {
  readonly #entries: Entries;
  readonly #incarnation: string;
  readonly #room: Room | undefined;

  /** @param room limits the values that are read; unlimited if left out */
  constructor(entries: Entries, incarnation: string, room?: Room) {
    this.#entries = entries;
    this.#incarnation = incarnation;
    this.#room = room;
  }

  /** As {@link perform}, but returns a refusal as a result, so the other steps of a batch still run. */
  attempt(step: Operation): OperationOutcome | Refused;
  attempt(step: Step): Outcome | Refused;
  attempt(step: Step): Outcome | Refused {
    try {
      return this.perform(step);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { error: failureOf(error) };
    }
  }

  /**
   * Runs one step. A refused step changes nothing.
   * @throws {KvError} `precondition_failed`, `result_too_large`, `value_too_large`, and those of {@link Entries}
   */
  perform(step: Operation): OperationOutcome;
  perform<Op extends Step["op"]>(step: Step & { readonly op: Op }): Outcome & { readonly op: Op };
  perform(step: Step): Outcome;
  perform(step: Step): Outcome {
    if (step.op === "names") return { op: "names", names: this.#entries.names(step.query) };
    const { key, conditions } = step;
    if (conditions !== undefined && !allows(this.#entries, key, conditions, this.#incarnation)) {
      throw preconditionFailed();
    }
    switch (step.op) {
      case "get":
        return { op: "get", key, entry: this.#get(key) };
      case "put":
        return this.#put(key, step.value, step.properties);
      case "delete":
        return { op: "delete", key, deleted: this.#entries.remove(key) };
      case "getAndDelete":
        return { op: "getAndDelete", key, entry: this.#getAndDelete(key) };
      case "increment":
        return { op: "increment", key, ...this.#entries.increment(key, step.increment) };
    }
  }

  /**
   * A conditional read with the semantics of an HTTP GET.
   * @param find reads the entry, with or without its value
   * @throws {KvError} `precondition_failed`
   */
  read<T extends EntryInfo>(conditions: Conditions, find: (entries: Entries) => T | undefined): Found<T> {
    const entry = find(this.#entries);
    const tag = entry && etag(this.#incarnation, entry.revision);
    // If-Match is evaluated first, and its failure is an error; a failed If-None-Match only omits the body (RFC 9110
    // §13.2.2).
    if (!matchHolds(conditions, tag)) throw preconditionFailed();
    if (entry === undefined || tag === undefined) return { outcome: "absent" };
    if (!noneMatchHolds(conditions, tag)) return { outcome: "not_modified", etag: tag };
    return { outcome: "found", entry, etag: tag };
  }

  /**
   * Reads an entry and deletes it. A large value, which no entry owns any more, is kept for the holder of the lease.
   * @throws {KvError} `precondition_failed`; without a lease, `value_too_large` for a large value
   */
  take(key: string, conditions: Conditions, lease: string | undefined): Found<Entry> {
    if (!allows(this.#entries, key, conditions, this.#incarnation)) throw preconditionFailed();
    const entry = this.#getAndDelete(key, lease);
    if (entry === undefined) return { outcome: "absent" };
    return { outcome: "found", entry, etag: etag(this.#incarnation, entry.revision) };
  }

  #put(key: string, value: Value | LargeValue, properties: Properties): Outcome & { readonly op: "put" } {
    const { revision, created } = this.#entries.put(key, value, properties);
    return { op: "put", key, revision, created };
  }

  #get(key: string): Entry | undefined {
    if (this.#room?.isFull === true) this.#room.refuseUnread(this.#entries.info(key));
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#room?.admit(entry);
    return entry;
  }

  /** A value that the response can't carry is refused before it is deleted, so no value is lost unseen. */
  #getAndDelete(key: string, lease?: string): Entry | undefined {
    const entry = this.#get(key);
    if (entry === undefined) return undefined;
    if (entry.large !== null) {
      if (lease === undefined) throw tooLargeToDelete();
      // Before the entry releases its chunks: those without a lease have a smaller budget.
      this.#entries.lease(entry.large, lease);
    }
    this.#entries.remove(key);
    return entry;
  }
}

function tooLargeToDelete(): KvError {
  return new KvError(
    "value_too_large",
    "The value is too large for this response, so it was not deleted. Get and delete it by a request of its own, over HTTP.",
  );
}
