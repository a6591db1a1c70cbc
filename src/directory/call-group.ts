/**
 * Calls of one isolate to one bucket that meet travel together. The algorithm (leader per batch):
 *
 * 1. A call that finds fewer than a crowd on its way is sent at once, alone: it costs nothing more, and nothing waits for it.
 *    To share an RPC costs a call something, too, which only a crowd gains.
 * 2. A call that finds a crowd on its way, or where there was one within the last second, leads a group: it is sent at once,
 *    too, but further calls wait until it returns.
 * 3. When it returns, the first of those who wait becomes the leader: it sends one RPC with all that wait, in the order in
 *    which they came, up to the limits of a group.
 * 4. Nobody waits for long: after 20 ms, and when as many wait as one group may have, the next group is sent although the
 *    one before has not returned. So a long way to the bucket costs 20 ms, and not a round trip.
 * 5. Each call gets its own reply. If the RPC fails, each of its calls has failed, and decides for itself what that means.
 *    A call that the bucket has not run, because the answer had no room for it or because a call of the group threw, goes
 *    alone, at once.
 *
 * A call with a large value goes alone, after those that wait: it would share little, and be waited for.
 *
 * The leader sends in the context of its own request, because the platform allows no other; replies cross to the contexts
 * of the others. A leader or waiting request that has gone takes nobody with it: its `waitUntil` keeps it until its group
 * has returned and the next leader is told. If a context is lost all the same, those who wait lead after their 20 ms.
 *
 * The platform cancels a request that waits only for another request's promise. So everyone who waits needs a timer of its
 * own, which is that of its deadline: callers are within `call` (otp/call.ts).
 */

import { isLarge } from "../model/large-value.ts";
import { lengthOf } from "../model/value.ts";
import { Exit, type Reply } from "../otp/exit.ts";
import type { BucketCall, GroupReply } from "../rpc/bucket-calls.ts";

/** The limits of a group, so that no caller keeps the others waiting for long. */
const MAX_OPERATIONS = 256;
const MAX_BYTES = 262_144;
/** Bytes of the largest call that goes with others. */
const MAX_SHARED_BYTES = MAX_BYTES / 4;
/** The longest wait for a group to return, in milliseconds. */
const PATIENCE_MS = 20;
/** How many of those who wait watch the time: a timer ends with its request, and two requests are seldom lost together. */
const WATCHING = 2;

/**
 * How many calls may be on their way alone; a group of more was a crowd, too. Measured with 2 to 16 connections, each with a
 * call at a time: groups of fewer cost up to a sixth of the calls.
 */
const CROWD = 8;
/** For so long after a crowd no call goes alone, in milliseconds: there will be another. */
const BUSY_MS = 1_000;

/** What a call is sent with. */
export interface Sender {
  /** Sends one call to the bucket, in the context of the caller's request. */
  readonly alone: (call: BucketCall) => Promise<Reply<unknown>>;
  /** Sends a group, likewise. */
  readonly send: (calls: readonly BucketCall[]) => Promise<Reply<GroupReply>>;
  /** The `waitUntil` of the caller's request. */
  readonly keepAlive: (sent: Promise<unknown>) => void;
}

interface Sent {
  /** Milliseconds since the epoch. */
  readonly since: number;
}

interface Waiting extends Sent {
  readonly call: BucketCall;
  readonly settle: (turn: Turn) => void;
  readonly fail: (error: unknown) => void;
}

/** The call was not run in its group. */
const ALONE = Symbol("alone");
const LEAD = Symbol("lead");
/** A reply; or what is to be done: to send the call alone, or to lead the others. */
type Turn = Reply<unknown> | typeof ALONE | typeof LEAD;

/**
 * Whether a request may settle another's promise. Not before the compatibility date 2024-10-14, nor in the tests of
 * Cloudflare's plugin for Vitest: there each call travels alone.
 */
const CROSSES = Cloudflare.compatibilityFlags["handle_cross_request_promise_resolution"] === true;

export interface CallGroupOptions {
  /** The time for a call, in milliseconds: after it, its caller has been told that the outcome is unknown. */
  readonly timeoutMs: number;
  /** Whether the promises of one caller may be settled by another; if left out, whether the platform lets requests. */
  readonly crosses?: boolean;
  /** Milliseconds since the epoch; `Date.now` if left out. */
  readonly clock?: () => number;
  /** How many calls may be on their way alone; {@link CROWD} if left out. */
  readonly crowd?: number;
  /** Calls back after so many milliseconds; `setTimeout` if left out. @returns a function that cancels this */
  readonly after?: (ms: number, then: () => void) => () => void;
}

/** The calls of one isolate to one bucket. Plain data and promises, which all requests share. */
export class CallGroup {
  readonly #timeoutMs: number;
  readonly #crosses: boolean;
  readonly #clock: () => number;
  readonly #after: (ms: number, then: () => void) => () => void;
  #waiting: Waiting[] = [];
  readonly #crowd: number;
  /** When there was a crowd, in milliseconds since the epoch. */
  #crowdAt = -Infinity;
  /** The calls that were sent alone, until they return. */
  readonly #alone = new Set<Sent>();
  /** The group that is on its way, or the leader that is about to send one. */
  #out: Sent | undefined;

  constructor({
    timeoutMs,
    crosses = CROSSES,
    clock = Date.now,
    crowd = CROWD,
    after = timer,
  }: CallGroupOptions) {
    this.#timeoutMs = timeoutMs;
    this.#crosses = crosses;
    this.#clock = clock;
    this.#crowd = crowd;
    this.#after = after;
  }

  /** Sends a call, alone or with others. */
  call(call: BucketCall, sender: Sender): Promise<Reply<unknown>> {
    if (!this.#crosses) return sender.alone(call);
    if (bytesOf(call) > MAX_SHARED_BYTES) {
      this.#flush(sender);
      return sender.alone(call);
    }
    const now = this.#clock();
    if (now - this.#crowdAt >= BUSY_MS) {
      if (!this.#isCrowded(now)) return this.#sendAlone(call, sender, now);
      this.#crowdAt = now;
    }
    const out = this.#isOut(this.#out, now) ? this.#out : undefined;
    const waits = out !== undefined && now - out.since < PATIENCE_MS;
    if (waits && this.#isFullWith(call)) this.#flush(sender);
    const reply = this.#queue({ call, since: now }, sender, waits ? "waits" : "leads");
    sender.keepAlive(reply.catch(() => undefined));
    return reply;
  }

  async #sendAlone(call: BucketCall, { alone }: Sender, since: number): Promise<Reply<unknown>> {
    const sent = { since };
    this.#alone.add(sent);
    try {
      return await alone(call);
    } finally {
      this.#alone.delete(sent);
    }
  }

  /** Whether as many calls are on their way alone as may be. */
  #isCrowded(now: number): boolean {
    if (this.#alone.size < this.#crowd) return false;
    // Those whose request was lost never return.
    for (const sent of this.#alone) if (!this.#isOut(sent, now)) this.#alone.delete(sent);
    return this.#alone.size >= this.#crowd;
  }

  async #queue(
    sent: Pick<Waiting, "call" | "since">,
    sender: Sender,
    how: "waits" | "leads" | "leads the others",
  ): Promise<Reply<unknown>> {
    const { promise, resolve, reject } = Promise.withResolvers<Turn>();
    const waiting = { ...sent, settle: resolve, fail: reject };
    // Made the leader, it has its place at the front again.
    if (how === "leads the others") this.#waiting.unshift(waiting);
    else this.#waiting.push(waiting);
    if (how !== "waits") this.#lead(sender);
    else if (this.#waiting.length <= WATCHING) {
      const cancel = this.#after(PATIENCE_MS, () => {
        if (this.#waiting.includes(waiting)) this.#lead(sender);
      });
      promise.then(cancel, cancel);
    }
    const turn = await promise;
    if (turn === ALONE) return sender.alone(sent.call);
    return turn === LEAD ? this.#queue(sent, sender, "leads the others") : turn;
  }

  /** Sends all that wait, although the group before has not returned. */
  #flush(sender: Sender): void {
    while (this.#waiting.length > 0) this.#lead(sender);
  }

  /** Sends the first of those who wait as a group. */
  #lead(sender: Sender): void {
    sender.keepAlive(this.#send(sender));
  }

  /** Never throws: each call of the group hears of it. */
  async #send({ send }: Sender): Promise<void> {
    const out = { since: this.#clock() };
    this.#out = out;
    const group = this.#take();
    if (group.length === 0) return this.#next(out);
    if (group.length > this.#crowd) this.#crowdAt = out.since;
    let answer: Reply<GroupReply>;
    try {
      answer = await send(group.map(({ call }) => call));
    } catch (error) {
      this.#next(out);
      for (const { fail } of group) fail(error);
      return;
    }
    const replies = "reply" in answer ? answer.reply : group.map(() => answer as Reply<never>);
    // First, so that the next group is on its way while these replies are worked on.
    this.#next(out);
    for (const [index, { settle }] of group.entries()) settle(replies[index] ?? ALONE);
  }

  /** Takes the first of those who wait, up to the limits of a group. */
  #take(): Waiting[] {
    this.#waiting = this.#waiting.filter((waiting) => !this.#giveUp(waiting));
    const load = { operations: 0, bytes: 0 };
    // At least one, also if it is too much by itself.
    const end = this.#waiting.findIndex(({ call }, index) => isOver(load, call) && index > 0);
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  /** Whether those who wait and this call are more than a group may have. */
  #isFullWith(call: BucketCall): boolean {
    const load = { operations: 0, bytes: 0 };
    return this.#waiting.some((waiting) => isOver(load, waiting.call)) || isOver(load, call);
  }

  /** Makes the first of those who wait the leader. */
  #next(out: Sent): void {
    // Another group is on its way.
    if (this.#out !== out) return;
    const first = this.#waiting.shift();
    this.#out = first && { since: this.#clock() };
    first?.settle(LEAD);
  }

  /** A call whose caller has been told that it timed out is not sent. @returns whether it is such a call */
  #giveUp(waiting: Waiting): boolean {
    if (this.#isOut(waiting, this.#clock())) return false;
    waiting.fail(new Exit("timeout"));
    return true;
  }

  #isOut(sent: Sent | undefined, now: number): boolean {
    // Also if the clock was put back: then it is unknown how long it has been out.
    return sent !== undefined && Math.abs(now - sent.since) < this.#timeoutMs;
  }
}

function timer(ms: number, then: () => void): () => void {
  const set = setTimeout(then, ms);
  return () => clearTimeout(set);
}

interface Load {
  operations: number;
  bytes: number;
}

/** Adds a call to a load. @returns whether that is more than a group may have then */
function isOver(load: Load, call: BucketCall): boolean {
  load.operations += operationsOf(call);
  load.bytes += bytesOf(call);
  return load.operations > MAX_OPERATIONS || load.bytes > MAX_BYTES;
}

function operationsOf(call: BucketCall): number {
  return call[0] === "run" ? call[1].length : 1;
}

/** Approximate bytes of a call: those of what it stores. */
function bytesOf(call: BucketCall): number {
  if (call[0] === "put") return isLarge(call[2]) ? 0 : lengthOf(call[2]);
  if (call[0] !== "run") return 0;
  let bytes = 0;
  for (const command of call[1]) if (command.verb === "PUT") bytes += lengthOf(command.value);
  return bytes;
}
