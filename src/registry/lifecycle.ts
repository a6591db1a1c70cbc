/**
 * The lifecycle of a name: every move from one state to another, in one transaction with its event.
 *
 * The algorithm, in the order in which a name moves:
 * 1. `starting`: the row is written before the bucket's object is called, so the object always has a name.
 * 2. `running`: the object has confirmed its start. Only now lookups return the bucket. Event `created`.
 * 3. While it lives, verdicts on probes move it to `suspect`, to `unreachable` (event) and back to `running` (event
 *    `reachable` after `unreachable`). A restart (event `RESTARTED`) keeps the state, but after too many restarts the
 *    bucket is `unreachable`.
 * 4. `stopping`: the row is marked before the object is told to stop. From now on lookups do not return the bucket.
 * 5. The row is removed after the object has wiped its data, or has reported its own end. Event `DOWN`; the name is free.
 *
 * Each state between two calls has a time at which the alarm checks it, so an interrupted create or stop is finished.
 */

import type { Clock } from "../otp/timers.ts";
import type { EventSockets } from "./event-sockets.ts";
import type { EventKind, RegistryEvent } from "../model/registry-event.ts";
import { isLiving, type Registration, type State } from "../model/registration.ts";
import type { Events } from "./events.ts";
import { failpoint } from "../otp/failpoint.ts";
import type { Incarnation } from "../model/incarnation.ts";
import { recheckDelay, UNREACHABLE_AFTER, type Verdict } from "./liveness.ts";
import type { Names } from "./names.ts";

/** The tables, the clock, and what follows a move. */
export interface LifecycleOptions {
  readonly ctx: DurableObjectState;
  readonly names: Names;
  readonly events: Events;
  readonly followers: EventSockets;
  readonly clock: Clock;
  /** See `Settings.recheckMs`. */
  readonly recheckMs: number;
  /** Schedules the check of names that are not `running`, at this time at the latest; milliseconds since the epoch. */
  readonly checkBy: (at: number) => void;
  /** Called after a bucket has lost its name, with the id of its object. No name will ever lead to that object again. */
  readonly freed: (id: string) => void;
}

/** A bucket's notice of its restart. */
export interface Restart {
  readonly reason: string;
  /** How many times the bucket was restarted, including this one. */
  readonly restarts: number;
  /** Whether the bucket stops restarting itself: too many restarts in too short a time. */
  readonly givenUp: boolean;
}

type Recorder = (kind: EventKind, bucket: Incarnation, reason: string | null) => void;

const LIVING = ["running", "suspect", "unreachable"] as const satisfies readonly State[];

/**
 * The moves of a partition's names. Each move applies only to one incarnation in certain states: the row may have changed
 * during an await of the caller. A move that no longer applies changes nothing and records no event.
 */
export class Lifecycle {
  readonly #options: LifecycleOptions;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  /** Inserts the row of a new bucket. The alarm finishes the create at `checkAt` if its caller does not. */
  starting(entry: Registration, checkAt: number): void {
    this.#transaction(() => {
      this.#options.names.insert(entry, checkAt);
      if (globalThis.KV_FAILPOINTS)
        void failpoint(this.#options.ctx, "create: row written, repair not scheduled");
      this.#options.checkBy(checkAt);
    });
  }

  /** Marks a started bucket as running. @returns whether the name was still `starting` this incarnation */
  running(bucket: Incarnation): boolean {
    return this.#transaction((record) => {
      const moved = this.#options.names.move(bucket, ["starting"], { state: "running" });
      if (moved) record("created", bucket, null);
      return moved;
    });
  }

  /** Marks a bucket as stopping. From now on no lookup returns it, even if its object can't be reached. */
  stopping(bucket: Incarnation, checkAt: number): void {
    this.#transaction(() => {
      this.#options.names.move(bucket, ["starting", ...LIVING], { state: "stopping", checkAt });
      this.#options.checkBy(checkAt);
    });
  }

  /** The bucket has refused to stop, and lives on as it was before {@link stopping}. */
  stopRefused(bucket: Registration): void {
    const { names, checkBy, clock, recheckMs } = this.#options;
    this.#transaction(() => {
      const { state, attempts } = bucket;
      if (state === "running") return names.move(bucket, ["stopping"], { state });
      const checkAt = clock() + recheckDelay(attempts, recheckMs);
      checkBy(checkAt);
      return names.move(bucket, ["stopping"], { state, attempts, checkAt });
    });
  }

  /** Frees the name of a bucket that has itself reported its end. Repeating it has no effect. */
  down(bucket: Incarnation, reason: string): void {
    const { names, freed, ctx } = this.#options;
    const found = names.find(bucket.name);
    const isFreed = this.#transaction((record) => {
      if (!names.remove(bucket)) return false;
      if (globalThis.KV_FAILPOINTS) void failpoint(ctx, "down: name freed, event not written");
      record("DOWN", bucket, reason);
      return true;
    });
    if (isFreed && found !== undefined) freed(found.id);
  }

  /** Records a restart. Repeating it has no effect. */
  restarted(bucket: Incarnation, { reason, restarts, givenUp }: Restart): void {
    this.#transaction((record) => {
      if (!this.#options.names.restarted(bucket, restarts, reason)) return;
      record("RESTARTED", bucket, reason);
      if (!givenUp) return;
      // As in OTP when the restart intensity is exceeded: no further restarts, and unreachable until a probe succeeds.
      const checkAt = this.#options.clock() + recheckDelay(UNREACHABLE_AFTER, this.#options.recheckMs);
      const step = { state: "unreachable", checkAt, attempts: UNREACHABLE_AFTER, reason } as const;
      if (!this.#options.names.move(bucket, LIVING, step)) return;
      this.#options.checkBy(checkAt);
      record("unreachable", bucket, reason);
    });
  }

  /** Applies the verdict on a probe. @param entry the row at the time when the probe was sent */
  judged(entry: Registration, verdict: Verdict): void {
    switch (verdict.kind) {
      case "free": {
        // A name that is `stopping` is freed by its stop.
        const found = this.#options.names.find(entry.name);
        if (found !== undefined && isLiving(found)) this.down(entry, verdict.reason);
        return;
      }
      case "alive":
        this.#alive(entry, verdict);
        return;
      case "held":
        // The sweep probes running buckets again anyway; the others are checked after a growing wait.
        if (entry.state !== "running") this.#doubted(entry, entry.state, verdict.checkInMs);
        return;
      case "suspect":
      case "unreachable":
        this.#doubted(entry, verdict.kind, verdict.checkInMs, verdict.reason);
    }
  }

  #alive(entry: Registration, { totals }: Verdict & { readonly kind: "alive" }): void {
    const { state, probe } = entry;
    const same =
      probe?.entries === totals?.entries &&
      probe?.bytes === totals?.bytes &&
      probe?.revision === totals?.revision;
    // The sweep stores the time of a probe once for the whole batch, so unchanged totals need no write.
    if (state === "running" && (same || totals === undefined)) return;
    this.#transaction((record) => {
      const { names, clock } = this.#options;
      if (!names.advance(entry, { state: "running" })) return;
      if (state === "unreachable") record("reachable", entry, null);
      if (totals !== undefined) names.saveProbe(entry, { ...totals, at: clock() });
    });
  }

  #doubted(entry: Registration, state: State, checkInMs: number, reason?: string): void {
    this.#transaction((record) => {
      const { names, clock, checkBy } = this.#options;
      const checkAt = clock() + checkInMs;
      // The time of the last probe of a running bucket is in the sweep's table. The bucket leaves the sweep now, so its
      // row needs it.
      const known = entry.state === "running" ? names.find(entry.name)?.probe : undefined;
      const step = {
        state,
        checkAt,
        attempts: entry.attempts + 1,
        ...(reason === undefined ? {} : { reason }),
      };
      if (!names.advance(entry, step)) return;
      if (known) names.saveProbe(entry, known);
      checkBy(checkAt);
      if (state === "unreachable" && entry.state !== state) record("unreachable", entry, reason ?? null);
    });
  }

  /** Runs a change and its events in one transaction, and publishes the events after it. */
  #transaction<T>(change: (record: Recorder) => T): T {
    const { ctx, names, events, followers, clock } = this.#options;
    const recorded: RegistryEvent[] = [];
    const record: Recorder = (kind, { name, incarnation }, reason) => {
      recorded.push(events.append({ at: clock(), kind, name, incarnation, reason }));
    };
    let result: T;
    try {
      result = ctx.storage.transactionSync(() => change(record));
    } catch (error) {
      names.reset();
      throw error;
    }
    for (const event of recorded) {
      followers.publish(event);
      if (events.trimsAt(event.seq)) followers.announce(event.seq);
    }
    return result;
  }
}
