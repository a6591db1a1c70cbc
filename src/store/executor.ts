/**
 * Carries out steps on a bucket's entries: the one place where an operation of a batch, of a transaction, a single call and
 * a text command become reads and writes. Synchronous; to be called inside {@link Entries.write}.
 */

import { allows, etag, matchHolds, noneMatchHolds, type Conditions } from "../model/conditions.ts";
import type { Entry, EntryInfo } from "../model/entry.ts";
import { failureOf, preconditionFailed } from "../model/errors.ts";
import type { Operation, Step } from "../model/operation.ts";
import type { Found, OperationOutcome, Outcome, Refused } from "../model/outcome.ts";
import { Refusal } from "../otp/exit.ts";
import type { Entries } from "./entries.ts";

/** Bounds the values of one answer. */
export interface Room {
  /** Whether a value had no room: then {@link refuseUnread} is called before the next ones are read. */
  readonly isFull: boolean;
  /** @throws {Refusal} if the value is not to be read any more */
  refuseUnread(info: EntryInfo | undefined): void;
  /** Called with each entry that is read. @throws {Refusal} if its value has no room */
  take(entry: Entry): void;
}

export class Executor {
  readonly #entries: Entries;
  readonly #incarnation: string;
  readonly #room: Room | undefined;

  /** @param room of the values that are read; unlimited if left out */
  constructor(entries: Entries, incarnation: string, room?: Room) {
    this.#entries = entries;
    this.#incarnation = incarnation;
    this.#room = room;
  }

  /** As {@link perform}; a step that is refused leaves the steps around it alone. */
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

  /** @throws {KvError} changing nothing: `precondition_failed`, `result_too_large`, and as {@link Entries} does */
  perform(step: Operation): OperationOutcome;
  perform<Op extends Step["op"]>(step: Step & { readonly op: Op }): Outcome & { readonly op: Op };
  perform(step: Step): Outcome;
  perform(step: Step): Outcome {
    if (step.op === "list") return { op: "list", page: this.#entries.list(step.query) };
    const { key, conditions } = step;
    if (conditions !== undefined && !allows(this.#entries, key, conditions, this.#incarnation)) {
      throw preconditionFailed();
    }
    switch (step.op) {
      case "get":
        return { op: "get", key, entry: this.#get(key) };
      case "put":
        return { op: "put", key, ...this.#entries.put(key, step.value, step.properties) };
      case "delete":
        return { op: "delete", key, deleted: this.#entries.remove(key) };
      case "increment":
        return { op: "increment", key, ...this.#entries.increment(key, step.increment) };
    }
  }

  /**
   * A conditional read, as a GET over HTTP has it.
   * @param find reads the entry, or what is known of it without its value
   * @throws {KvError} `precondition_failed`
   */
  read<T extends EntryInfo>(conditions: Conditions, find: (entries: Entries) => T | undefined): Found<T> {
    const entry = find(this.#entries);
    const tag = entry && etag(this.#incarnation, entry.revision);
    // If-Match comes first, and a read that it stops is an error, while If-None-Match spares the body (RFC 9110 §13.2.2).
    if (!matchHolds(conditions, tag)) throw preconditionFailed();
    if (entry === undefined || tag === undefined) return { outcome: "absent" };
    if (!noneMatchHolds(conditions, tag)) return { outcome: "not_modified", etag: tag };
    return { outcome: "found", entry, etag: tag };
  }

  #get(key: string): Entry | undefined {
    if (this.#room?.isFull === true) this.#room.refuseUnread(this.#entries.info(key));
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#room?.take(entry);
    return entry;
  }
}
