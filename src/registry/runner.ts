/**
 * The runner: it feeds the protocol (step.ts) with inputs, and does what each step says. The order is always
 * the same:
 *
 * 1. Disk: rows, events and the time of the next check, in one transaction.
 * 2. Memory: the operations on the name, and the followers of its events.
 * 3. The world: requests to the bucket's object, and answers. The platform holds both back until 1 is on disk.
 *
 * So a crash leaves a state that the protocol knows: the row as it was or as it is now, and no operations.
 */

import type { CreateOptions, Registration } from "../model/registration.ts";
import type { RegistryEvent } from "../model/registry-event.ts";
import { Exit, isExit, Refusal } from "../otp/exit.ts";
import { failpoint } from "../otp/failpoint.ts";
import type { Clock } from "../otp/timers.ts";
import type { EventSockets } from "./event-sockets.ts";
import type { Events } from "./events.ts";
import { recheckDelay } from "./liveness.ts";
import { hasName } from "./living.ts";
import type { Names } from "./names.ts";
import type { Answer, Effect, Input, Operation, Row, Step } from "./protocol.ts";

/** How long a create or stop may take before the alarm undoes or repeats it, in milliseconds. */
const REPAIR_AFTER_MS = 10_000;

/** The tables, the clock, and what the effects of a step are done with. */
export interface RunnerOptions {
  readonly ctx: DurableObjectState;
  readonly step: () => Step;
  readonly names: Names;
  readonly events: Events;
  readonly followers: EventSockets;
  readonly clock: Clock;
  /** See `Settings.recheckMs`. */
  readonly recheckMs: number;
  readonly newIncarnation: () => string;
  /** The registration of a new bucket, which has no row yet. It must not throw: the step is under way. */
  readonly newEntry: (name: string, incarnation: string, options: CreateOptions) => Registration;
  /** Starts the bucket's object, with the options of its create. Idempotent there. */
  readonly start: (entry: Registration, options: CreateOptions) => Promise<unknown>;
  /** Stops the bucket's object. Idempotent there. @returns the reason with which the bucket has ended */
  readonly stop: (entry: Registration) => Promise<string>;
  /** Schedules the check of names that are not `running`, at this time at the latest; milliseconds since the epoch. */
  readonly checkBy: (at: number) => void;
  /** Called with the id of an object that has been wiped: no name leads to it, and none will ever again. */
  readonly freed: (id: string) => void;
}

/** The result of an operation. */
export type Result =
  | { readonly is: "bucket"; readonly registration: Registration; readonly created: boolean }
  | { readonly is: "none" | "ended" };

/** A caller that waits for its operation. */
interface Asker {
  readonly options: CreateOptions;
  /** The bucket that a create has begun. It has no row before its object has replied. */
  begun?: Registration;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

type Send = Effect & { readonly does: "send" };

/** Runs the protocol for the names of one partition. */
export class Runner {
  readonly #options: RunnerOptions;
  /** The operations that are not answered, by name. A name takes memory only while it has one. */
  readonly #operations = new Map<string, readonly Operation[]>();
  readonly #askers = new Map<number, Asker>();
  #lastAsker = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /**
   * Asks for an operation on a name.
   * @throws {Exit} the outcome is unknown, or `noproc`: each bucket that a create began ended before it was confirmed
   * @throws {Refusal} the bucket's object refused, and nothing was done
   */
  ask(name: string, kind: Operation["kind"], options: CreateOptions = {}): Promise<Result> {
    const asker = (this.#lastAsker += 1);
    return new Promise((resolve, reject) => {
      this.#askers.set(asker, { options, resolve, reject });
      try {
        this.tell(name, { is: "asked", operation: { kind, asker } });
      } catch (error) {
        this.#askers.delete(asker);
        reject(error);
      }
    });
  }

  /** Whether a bucket has its name; waits for the create that decides it. */
  async hasName(name: string, incarnation: string): Promise<boolean> {
    const has = (): ReturnType<typeof hasName> => {
      const row = this.#options.names.find(name) ?? null;
      return hasName({ row, operations: this.#operations.get(name) ?? [] }, incarnation);
    };
    // Whatever its answer is, it comes after that of the create.
    if (has() === "wait") await this.ask(name, "lookup");
    return has() === "yes";
  }

  /** The number of creates whose objects have not replied. */
  get starting(): number {
    let starting = 0;
    for (const [first] of this.#operations.values()) if (first?.asked?.what === "start") starting += 1;
    return starting;
  }

  /** Gives the protocol an input. If its transaction fails, nothing has happened. @param why the error of a request */
  tell(name: string, input: Input, why?: unknown): void {
    const { names, newIncarnation, step } = this.#options;
    const found = names.find(name);
    const row = found === undefined ? null : rowOf(found);
    const operations = this.#operations.get(name) ?? [];
    const { state, effects } = step()({ row, operations, next: newIncarnation() }, input);
    const entry = this.#write(name, found, effects);
    if (state.operations.length === 0) this.#operations.delete(name);
    else this.#operations.set(name, state.operations);
    const present = entry ?? found;
    for (const effect of effects) {
      if (effect.does === "remove" && found !== undefined) this.#options.freed(found.id);
      if (effect.does === "send") {
        const asker = this.#askers.get(state.operations[0]?.asker ?? 0);
        const about = effect.what === "stop" ? present : this.#begin(name, effect.incarnation, asker);
        if (about !== undefined) void this.#send(about, effect, asker?.options ?? {});
      }
      if (effect.does === "answer") this.#answer(effect.asker, effect.answer, present, why);
    }
  }

  #begin(name: string, incarnation: string, asker: Asker | undefined): Registration | undefined {
    if (asker === undefined) return undefined;
    return (asker.begun = this.#options.newEntry(name, incarnation, asker.options));
  }

  /** Writes the effects of a step, and publishes its events. @returns the name's entry; undefined if it has none now */
  #write(
    name: string,
    found: Registration | undefined,
    effects: readonly Effect[],
  ): Registration | undefined {
    const { ctx, names, events, followers } = this.#options;
    const recorded: RegistryEvent[] = [];
    let entry = found;
    if (effects.every(({ does }) => does === "send" || does === "answer")) return entry;
    try {
      ctx.storage.transactionSync(() => {
        for (const effect of effects) entry = this.#writeOne(name, entry, effect, recorded);
      });
    } catch (error) {
      names.reset();
      throw error;
    }
    for (const event of recorded) {
      followers.publish(event);
      if (events.trimsAt(event.seq)) followers.announce(event.seq);
    }
    return entry;
  }

  #writeOne(
    name: string,
    entry: Registration | undefined,
    effect: Effect,
    recorded: RegistryEvent[],
  ): Registration | undefined {
    const { names, events, clock } = this.#options;
    if (effect.does === "send" || effect.does === "answer") return entry;
    if (effect.does === "record") {
      const { event: kind, incarnation, reason } = effect;
      recorded.push(events.append({ at: clock(), kind, name, incarnation, reason }));
      return entry;
    }
    if (effect.does === "insert") return this.#insert(name, effect);
    if (entry === undefined) throw new Error(`the registry has no row of ${name}`);
    switch (effect.does) {
      case "remove":
        names.remove(entry);
        if (globalThis.KV_FAILPOINTS)
          void failpoint(this.#options.ctx, "down: name freed, event not written");
        return undefined;
      case "count":
        names.count(entry, effect.restarts, effect.reason);
        return { ...entry, restarts: effect.restarts, reason: effect.reason };
      case "note": {
        const probe = { ...effect.totals, at: clock() };
        names.saveProbe(entry, probe);
        return { ...entry, probe };
      }
      case "move":
        return this.#move(entry, effect.to, effect.reason);
    }
  }

  #insert(name: string, { row, asker }: Effect & { readonly does: "insert" }): Registration {
    const { names, checkBy } = this.#options;
    const begun = this.#askers.get(asker)?.begun;
    if (begun?.incarnation !== row.incarnation) throw new Error(`no create has begun ${name}`);
    const inserted = { ...begun, ...row };
    const checkAt = row.state === "running" ? null : this.#checkAt(row);
    names.insert(inserted, checkAt);
    if (globalThis.KV_FAILPOINTS)
      void failpoint(this.#options.ctx, "create: row written, event or repair not");
    if (checkAt !== null) checkBy(checkAt);
    return inserted;
  }

  #move(entry: Registration, { state, attempts }: Row, reason: string | undefined): Registration {
    const { names, checkBy } = this.#options;
    const checkAt = state === "running" ? null : this.#checkAt({ state, attempts });
    names.move(entry, { state, attempts, checkAt, reason });
    // The time of the last probe of a running bucket is in the sweep's table. The bucket leaves the sweep now, so its row
    // needs it.
    const leavesSweep = entry.state === "running" && (state === "suspect" || state === "unreachable");
    if (leavesSweep && entry.probe !== null) names.saveProbe(entry, entry.probe);
    if (checkAt !== null) checkBy(checkAt);
    return { ...entry, state, attempts, reason: reason ?? entry.reason };
  }

  /** When the alarm checks a name in this state: later with each failure. */
  #checkAt({ state, attempts }: Pick<Row, "state" | "attempts">): number {
    const isBetween = state === "starting" || state === "stopping";
    return (
      this.#options.clock() + recheckDelay(attempts, isBetween ? REPAIR_AFTER_MS : this.#options.recheckMs)
    );
  }

  /** Sends a request to the bucket's object, and tells the protocol what has become of it. Never throws. */
  async #send(entry: Registration, { what, incarnation }: Send, options: CreateOptions): Promise<void> {
    const { name } = entry;
    try {
      const outcome = await this.#request(entry, what, options).then(
        (reason) => ({ said: { outcome: "ok", reason } as const, why: undefined }),
        (why: unknown) => ({ said: { outcome: outcomeOf(why) }, why }),
      );
      this.tell(name, { is: "said", what, incarnation, ...outcome.said }, outcome.why);
      // Ended before it had its row, so no row's end will say so.
      const hasEnded = outcome.said.outcome === "ok" || outcome.said.outcome === "noproc";
      if (what === "start" && hasEnded && !this.#hasRow(entry)) this.#options.freed(entry.id);
    } catch (error) {
      // The storage failed. As after a restart of the registry, the row says what has to be done, and the alarm does it.
      this.#forget(name, error);
      if (what === "start" && !this.#hasRow(entry)) await this.#undo(entry);
    }
  }

  /** Stops the object of a create whose row can't be written. If this fails too, the object finds out by itself. */
  async #undo(begun: Registration): Promise<void> {
    const undone = await this.#options.stop(begun).then(
      () => true,
      () => false,
    );
    if (undone) this.#options.freed(begun.id);
  }

  #hasRow({ name, incarnation }: Registration): boolean {
    return this.#options.names.find(name)?.incarnation === incarnation;
  }

  async #request(entry: Registration, what: "start" | "stop", options: CreateOptions): Promise<string> {
    const { start, stop } = this.#options;
    if (what === "start") {
      if (globalThis.KV_FAILPOINTS) await failpoint(this.#options.ctx, "create: begun, object not started");
      await start(entry, options);
      if (globalThis.KV_FAILPOINTS)
        await failpoint(this.#options.ctx, "create: object started, not confirmed");
      return "";
    }
    if (globalThis.KV_FAILPOINTS) await failpoint(this.#options.ctx, "stop: marked, object not told");
    const reason = await stop(entry);
    if (globalThis.KV_FAILPOINTS) await failpoint(this.#options.ctx, "stop: wiped, not freed");
    return reason;
  }

  #forget(name: string, error: unknown): void {
    const operations = this.#operations.get(name) ?? [];
    this.#operations.delete(name);
    for (const { asker } of operations) {
      this.#askers.get(asker)?.reject(error);
      this.#askers.delete(asker);
    }
  }

  #answer(asker: number, answer: Answer, entry: Registration | undefined, why: unknown): void {
    const waiting = this.#askers.get(asker);
    this.#askers.delete(asker);
    if (waiting === undefined) return;
    if (answer.is === "unknown") waiting.reject(why ?? new Exit("noconnection"));
    else if (answer.is === "noproc") waiting.reject(new Exit("noproc"));
    else if (answer.is !== "bucket") waiting.resolve({ is: answer.is });
    else if (entry !== undefined)
      waiting.resolve({
        is: "bucket",
        registration: { ...entry, ...answer.row },
        created: answer.created,
      });
  }
}

/** What the protocol knows of a registration. */
export function rowOf({ incarnation, state, attempts, restarts }: Registration): Row {
  return { incarnation, state, attempts, restarts };
}

function outcomeOf(error: unknown): "noproc" | "refused" | "unknown" {
  if (isExit(error, "noproc")) return "noproc";
  return error instanceof Refusal ? "refused" : "unknown";
}
