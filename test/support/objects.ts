/** The objects under test: the real ones, under a clock that the tests can put forward. */

import { Bucket } from "../../src/bucket/bucket.ts";
import { settingsOf } from "../../src/config/settings.ts";
import type { Answered, Reply } from "../../src/otp/exit.ts";
import type { Notice } from "../../src/otp/monitor.ts";
import type { CreateOptions, Registration } from "../../src/model/registration.ts";
import { incarnationOf, refOf } from "../../src/model/incarnation.ts";
import { Names } from "../../src/registry/names.ts";
import { step } from "../../src/registry/step.ts";
import type { Step, Stepped } from "../../src/registry/protocol.ts";
import type { Partition } from "../../src/rpc/partition.ts";
import { Registry } from "../../src/registry/registry.ts";
import type { BucketArgs, BucketStub } from "../../src/rpc/bucket-rpc.ts";
import type { Created } from "../../src/rpc/registry-rpc.ts";

/** The time of all objects: so many milliseconds later than it is, or than the moment at which the clock was stopped. */
export const clock: { aheadMs: number; stoppedAt: number | undefined } = { aheadMs: 0, stoppedAt: undefined };

/** Ids of objects that registries have handed over to be cleaned up. */
export const freed: string[] = [];

/** `Settings.orphanPeriodMs` of all buckets. */
export const orphans = { periodMs: 3_600_000 };

/** Ids of all buckets' objects that have run, whether or not a name still leads to them. */
export const bucketIds = new Set<string>();

/** Ids of buckets that answer nothing, as if the network were broken. */
export const deaf = new Set<string>();

/** A message between a registry and a bucket that a test holds until it lets it through. */
export interface Held {
  readonly is: "start" | "stop" | "notify";
  /** The id of the bucket's object; of a notice, its monitor's ref. */
  readonly about: string;
  readonly args: readonly unknown[];
  /** Settles the sender's call. */
  readonly settle: (reply: Reply<unknown> | Promise<never>) => void;
}

/** Where messages are held; undefined: none are. */
export const wire: { hold: ((held: Held) => void) | undefined } = { hold: undefined };

/**
 * Holds the next message. Take a registry that no other test uses: the test environment can't make one end that has held a
 * message. And wait by looking: what goes on in another object's turn may not use this one's stubs.
 */
export function holdNext(): { held: Held | undefined } {
  const next: { held: Held | undefined } = { held: undefined };
  wire.hold = (held) => {
    wire.hold = undefined;
    next.held = held;
  };
  return next;
}

function hold(is: Held["is"], about: string, args: readonly unknown[]): Promise<Reply<never>> {
  return new Promise((resolve) => {
    wire.hold?.({ is, about, args, settle: (reply) => resolve(reply as Reply<never>) });
  });
}

const now = (): number => (clock.stoppedAt ?? Date.now()) + clock.aheadMs;

export class TestBucket extends Bucket {
  protected override readonly clock = now;

  protected override readonly settings = {
    ...settingsOf(this.env),
    get orphanPeriodMs(): number {
      return orphans.periodMs;
    },
  };

  constructor(...args: ConstructorParameters<typeof Bucket>) {
    super(...args);
    bucketIds.add(this.ctx.id.toString());
  }

  protected override handleCall<T>(body: (args: BucketArgs) => T): Answered<T> {
    return deaf.has(this.ctx.id.toString()) ? { exit: "noconnection" } : super.handleCall(body);
  }

  /** A bug in the bucket's own code. */
  crash(message: string): Answered<never> {
    return this.handleCall(() => {
      throw new TypeError(message);
    });
  }
}

/**
 * Bugs that a registry like this one might have, for the tests to be tried on.
 *
 * - `down without incarnation check`: the DOWN of an earlier bucket frees the name of the present one.
 * - `freed before the wipe`: the name is free while the bucket's object may still live.
 * - `create without re-check`: what was read before an await is taken to be true after it.
 */
export type SeededBug =
  "down without incarnation check" | "freed before the wipe" | "create without re-check";

export const seeded: { bug: SeededBug | undefined } = { bug: undefined };

/** Where buckets were to be born, by name. */
export const births = new Map<string, DurableObjectLocationHint>();

export class TestRegistry extends Registry {
  protected override freed(id: string): void {
    freed.push(id);
  }

  protected override readonly clock = now;

  protected override bucket(entry: Registration, near?: DurableObjectLocationHint): BucketStub {
    if (near !== undefined) births.set(entry.name, near);
    if (wire.hold === undefined) return super.bucket(entry, near);
    const { id } = entry;
    return {
      start: (...args: unknown[]) => hold("start", id, args),
      stop: (...args: unknown[]) => hold("stop", id, args),
    } as unknown as BucketStub;
  }

  override async notify(notice: Notice): Promise<Reply<null>> {
    if (wire.hold !== undefined) {
      const stopped = await hold("notify", notice.ref, []);
      if ("exit" in stopped) return stopped;
    }
    return super.notify(notice);
  }

  protected override handleNotice(notice: Notice): Promise<void> {
    if (seeded.bug !== "down without incarnation check") return super.handleNotice(notice);
    const { name } = incarnationOf(notice.ref);
    const current = this.#names.find(name);
    return super.handleNotice(current === undefined ? notice : { ...notice, ref: refOf(current) });
  }

  protected override readonly step: Step = (state, input) => {
    const stepped = step(state, input);
    return seeded.bug === "freed before the wipe" ? freedBeforeTheWipe(stepped) : stepped;
  };

  override async create(caller: Partition, name: string, options: CreateOptions): Promise<Reply<Created>> {
    if (seeded.bug === "create without re-check" && this.args !== undefined) {
      const found = this.#names.find(name);
      await new Promise((resolve) => {
        setTimeout(resolve, 1);
      });
      // Another call may have taken the name by now.
      const other = this.#names.find(name);
      if (found === undefined && other !== undefined) this.#names.remove(other);
    }
    return super.create(caller, name, options);
  }

  get #names(): Names {
    return new Names(this.ctx.storage.sql);
  }
}

function freedBeforeTheWipe({ state, effects }: Stepped): Stepped {
  const { row } = state;
  if (row === null || !effects.some((effect) => effect.does === "send" && effect.what === "stop"))
    return { state, effects };
  const { incarnation } = row;
  const down = { does: "record", event: "DOWN", incarnation, reason: "normal" } as const;
  return { state: { ...state, row: null }, effects: [...effects, { does: "remove" }, down] };
}
