/**
 * Calls of one isolate to one bucket that meet travel together. The algorithm (leader per batch):
 *
 * 1. A call that finds no other on its way is sent at once, alone: it costs nothing more, and nothing waits for it.
 * 2. A call that finds one on its way, or where calls have met within the last second, leads a group: it is sent at once,
 *    too, but further calls wait until it returns.
 * 3. When it returns, the first of those who wait becomes the leader: it sends one RPC with its own call and those of the
 *    others, in the order in which they came, up to the limits of a group.
 * 4. Each call gets its own reply. If the RPC fails, each of its calls has failed, and decides for itself what that means.
 *
 * The leader sends in the context of its own request, because the platform allows no other; replies cross to the contexts
 * of the others. A leader or waiting request that has gone takes nobody with it: its `waitUntil` keeps it until its group
 * has returned and the next leader is told. If a context is lost all the same, the place of the leader is free after the
 * time of a call.
 *
 * The platform cancels a request that waits only for another request's promise. So everyone who waits needs a timer of its
 * own, which is that of its deadline: callers are within `call` (otp/call.ts).
 */

import type { LargeValue } from "../model/large-value.ts";
import type { Value } from "../model/value.ts";
import { Exit, type Reply } from "../otp/exit.ts";
import type { BucketCall, GroupReply } from "../rpc/bucket-calls.ts";

/** The limits of a group, so that no caller keeps the others waiting for long. A larger call travels alone. */
const MAX_OPERATIONS = 256;
const MAX_BYTES = 262_144;

/** For so long after calls have met no call goes alone, in milliseconds: they will meet again. */
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
  /** A reply, or the place of the leader. */
  readonly settle: (turn: Reply<unknown> | typeof LEAD) => void;
  readonly fail: (error: unknown) => void;
}

const LEAD = Symbol("lead");

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
}

/** The calls of one isolate to one bucket. Plain data and promises, which all requests share. */
export class CallGroup {
  readonly #timeoutMs: number;
  readonly #crosses: boolean;
  readonly #clock: () => number;
  #waiting: Waiting[] = [];
  /** When a call found another on its way, in milliseconds since the epoch. */
  #metAt = -Infinity;
  /** The latest call that was sent alone, until it returns. */
  #alone: Sent | undefined;
  /** The group that is on its way, or the leader that is about to send one. */
  #out: Sent | undefined;

  constructor({ timeoutMs, crosses = CROSSES, clock = Date.now }: CallGroupOptions) {
    this.#timeoutMs = timeoutMs;
    this.#crosses = crosses;
    this.#clock = clock;
  }

  /** Sends a call, alone or with others. */
  call(call: BucketCall, sender: Sender): Promise<Reply<unknown>> {
    if (!this.#crosses) return sender.alone(call);
    const now = this.#clock();
    const waits = this.#isOut(this.#out, now);
    if (waits || this.#isOut(this.#alone, now)) this.#metAt = now;
    else if (now - this.#metAt >= BUSY_MS) return this.#sendAlone(call, sender, now);
    const reply = waits ? this.#wait(call, sender, now) : this.#send(call, sender);
    sender.keepAlive(reply.catch(() => undefined));
    return reply;
  }

  async #sendAlone(call: BucketCall, { alone }: Sender, since: number): Promise<Reply<unknown>> {
    const sent = { since };
    this.#alone = sent;
    try {
      return await alone(call);
    } finally {
      if (this.#alone === sent) this.#alone = undefined;
    }
  }

  async #wait(call: BucketCall, sender: Sender, since: number): Promise<Reply<unknown>> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply<unknown> | typeof LEAD>();
    this.#waiting.push({ call, since, settle: resolve, fail: reject });
    const turn = await promise;
    return turn === LEAD ? this.#send(call, sender) : turn;
  }

  async #send(call: BucketCall, { send }: Sender): Promise<Reply<unknown>> {
    const out = { since: this.#clock() };
    this.#out = out;
    const others = this.#take(call);
    let answer: Reply<GroupReply>;
    try {
      answer = await send([call, ...others.map((other) => other.call)]);
    } catch (error) {
      this.#next(out);
      for (const { fail } of others) fail(error);
      throw error;
    }
    if (!("reply" in answer)) {
      this.#next(out);
      for (const { settle } of others) settle(answer);
      return answer;
    }
    const [own, ...replies] = answer.reply;
    // The answer had no room for the others: they are the first of the next group.
    if (replies.length < others.length) this.#waiting.unshift(...others.slice(replies.length));
    // First, so that the next group is on its way while these replies are worked on.
    this.#next(out);
    for (const [index, reply] of replies.entries()) others[index]?.settle(reply);
    return own as Reply<unknown>;
  }

  /** Takes those who go with a call. */
  #take(call: BucketCall): Waiting[] {
    if (this.#waiting.length === 0) return [];
    let operations = operationsOf(call);
    let bytes = bytesOf(call);
    let count = 0;
    for (const waiting of this.#waiting) {
      operations += operationsOf(waiting.call);
      bytes += bytesOf(waiting.call);
      if (operations > MAX_OPERATIONS || bytes > MAX_BYTES) break;
      count += 1;
    }
    const taken = this.#waiting.splice(0, count);
    return taken.filter((waiting) => !this.#giveUp(waiting));
  }

  /** Makes the first of those who wait the leader. */
  #next(out: Sent): void {
    // Another group has been sent, because this one was overdue.
    if (this.#out !== out) return;
    for (;;) {
      const first = this.#waiting.shift();
      this.#out = first && { since: this.#clock() };
      if (first === undefined) return;
      if (this.#giveUp(first)) continue;
      first.settle(LEAD);
      return;
    }
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

function operationsOf(call: BucketCall): number {
  return call[0] === "run" ? call[1].length : 1;
}

/** Approximate bytes of a call: those of what it stores. */
function bytesOf(call: BucketCall): number {
  if (call[0] === "put") return lengthOf(call[2]);
  if (call[0] !== "run") return 0;
  let bytes = 0;
  for (const command of call[1]) if (command.verb === "PUT") bytes += lengthOf(command.value);
  return bytes;
}

function lengthOf(value: Value | LargeValue): number {
  if (typeof value === "string") return value.length;
  return "large" in value ? 0 : value.byteLength;
}
