/** Every move of a name, with the event that tells of it, as one. */

import type { Clock } from "../otp/timers.ts";
import type { EventSockets } from "./event-sockets.ts";
import type { EventKind, RegistryEvent } from "../model/registry-event.ts";
import { isLiving, type Registration, type State } from "../model/registration.ts";
import type { Events } from "./events.ts";
import { failpoint } from "../otp/failpoint.ts";
import type { Incarnation } from "../model/incarnation.ts";
import { recheckDelay, UNREACHABLE_AFTER, type Verdict } from "./liveness.ts";
import type { Names } from "./names.ts";

export interface LifecycleOptions {
  readonly ctx: DurableObjectState;
  readonly names: Names;
  readonly events: Events;
  readonly followers: EventSockets;
  readonly clock: Clock;
  /** See `Settings.recheckMs`. */
  readonly recheckMs: number;
  /** Sees to it that somebody looks at what is not settled, at this time at the latest. */
  readonly checkBy: (at: number) => void;
  /** Called when a name is free of the bucket that had it, with the id of its object: no name will ever lead there again. */
  readonly freed: (id: string) => void;
}

/** What a restart says of itself. */
export interface Restart {
  readonly reason: string;
  /** Of this bucket, with this one. */
  readonly restarts: number;
  /** They were too many in too short a time. */
  readonly givenUp: boolean;
}

type Recorder = (kind: EventKind, bucket: Incarnation, reason: string | null) => void;

const LIVING = ["running", "suspect", "unreachable"] as const satisfies readonly State[];

/**
 * Each move names the incarnation and the states from which it may be made. What was true before an await
 * may not be so after it: then the move is not made, and there is no event.
 */
export class Lifecycle {
  readonly #options: LifecycleOptions;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  /** A create has begun. Looked after at `checkAt`, should nobody finish it. */
  starting(entry: Registration, checkAt: number): void {
    this.#transaction(() => {
      this.#options.names.insert(entry, checkAt);
      if (globalThis.KV_FAILPOINTS)
        void failpoint(this.#options.ctx, "create: row written, repair not scheduled");
      this.#options.checkBy(checkAt);
    });
  }

  /** The bucket lives. @returns whether the name was still waiting for it. */
  running(bucket: Incarnation): boolean {
    return this.#transaction((record) => {
      const moved = this.#options.names.move(bucket, ["starting"], { state: "running" });
      if (moved) record("created", bucket, null);
      return moved;
    });
  }

  /** From here on no lookup finds the bucket, whether or not it can be reached. */
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

  /** The bucket has said itself that it has ended: its name is free. However often that is heard, it counts once. */
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

  /** The bucket was restarted. However often that is heard, it counts once. */
  restarted(bucket: Incarnation, { reason, restarts, givenUp }: Restart): void {
    this.#transaction((record) => {
      if (!this.#options.names.restarted(bucket, restarts, reason)) return;
      record("RESTARTED", bucket, reason);
      if (!givenUp) return;
      // As a supervisor whose restart intensity is reached: left alone, until a probe finds it well.
      const checkAt = this.#options.clock() + recheckDelay(UNREACHABLE_AFTER, this.#options.recheckMs);
      const step = { state: "unreachable", checkAt, attempts: UNREACHABLE_AFTER, reason } as const;
      if (!this.#options.names.move(bucket, LIVING, step)) return;
      this.#options.checkBy(checkAt);
      record("unreachable", bucket, reason);
    });
  }

  /** What follows from a probe of a bucket that was as `entry` says when it was sent. */
  judged(entry: Registration, verdict: Verdict): void {
    switch (verdict.kind) {
      case "free": {
        // A name that is on its way out is its stop's to free.
        const found = this.#options.names.find(entry.name);
        if (found !== undefined && isLiving(found)) this.down(entry, verdict.reason);
        return;
      }
      case "alive":
        this.#alive(entry, verdict);
        return;
      case "held":
        // The sweep comes again by itself; who is suspect is looked at later and later.
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
    // The sweep notes for a whole batch when it was there, so what has not changed is not written again.
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
      // While it runs the sweep knows how old its totals are; from here on its own row does.
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

  /** A change with its events, as one; followers hear of it when it is done. */
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
