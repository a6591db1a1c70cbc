/** A process on a Durable Object: life cycle, calls, and messages to itself. */

import { DurableObject } from "cloudflare:workers";
import { Exit, messageOf, Refusal, type ExitReason, type Reply } from "./exit.ts";
import { Serial } from "./serial.ts";
import { Timers, type Clock } from "./timers.ts";

const ARGS = "process";
const ENDED = "ended";

/**
 * The server half of a process, after OTP's `GenServer`. The object's single thread is the mailbox.
 *
 * A subclass fills in `init`, `terminate` and `handleInfo`, and writes its calls as methods whose body is
 * `return this.handleCall(() => …)`. The client half is `call` around the stub's method.
 *
 * The process lives from `start(args)` to `stop(reason)`. Its arguments are kept in its own storage: as
 * long as they are there it lives, through eviction, hibernation and deployment, and without them it
 * answers `noproc` and writes nothing.
 *
 * `Args` must survive structured cloning, `Info` JSON.
 */
export abstract class GenServer<Env, Args extends object, Info = never> extends DurableObject<Env> {
  protected readonly clock: Clock = () => Date.now();
  protected readonly timers: Timers<Info>;
  protected readonly serial = new Serial<string>();
  #args: Args | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#args = ctx.storage.kv.get<Args>(ARGS);
    this.timers = new Timers<Info>(ctx.storage, { clock: () => this.clock() });
    // Held before the first message, so that none is served by a process whose alarm is lost.
    if (this.timers.pending) void ctx.blockConcurrencyWhile(() => this.timers.restore());
  }

  /** The arguments that the process was started with; undefined if it does not live. */
  protected get args(): Args | undefined {
    return this.#args;
  }

  /** Makes what the process needs in its storage. Runs once, in one transaction with the start itself. */
  protected abstract init(args: Args): void;

  /** Says goodbye: runs on `stop`, before the storage is wiped, and not when the process is killed. */
  protected terminate(_reason: ExitReason, _args: Args): void | Promise<void> {}

  /** A message that nobody waits for: a timer. One that throws is delivered again later. */
  protected handleInfo(_message: Info, _args: Args): void | Promise<void> {}

  /**
   * Starts the process. Idempotent: a second start with the same arguments changes nothing.
   * Arguments are the same when their JSON is. A process that was stopped before its start arrived is never
   * started: the start was overtaken, and nobody waits for it any more.
   *
   * @returns `started`, or `already_started`; refused with `already_started` under other arguments.
   */
  start(args: Args): Reply<"started" | "already_started"> {
    const running = this.#args;
    if (running !== undefined) {
      return JSON.stringify(running) === JSON.stringify(args)
        ? { reply: "already_started" }
        : { refusal: { code: "already_started", message: "the process runs with other arguments" } };
    }
    if (this.ctx.storage.kv.get<boolean>(ENDED) === true) return { exit: "noproc" };
    // One transaction: a start that is cut off leaves neither arguments nor schema behind.
    this.ctx.storage.transactionSync(() => {
      this.ctx.storage.kv.put(ARGS, args);
      this.init(args);
    });
    this.#args = args;
    return { reply: "started" };
  }

  /**
   * Ends the process: `terminate` runs, then everything in its storage is wiped, the alarm included.
   * Idempotent: stopping what does not live is `already_stopped`, and what does not live yet never will.
   */
  async stop(reason: ExitReason): Promise<Reply<"stopped" | "already_stopped">> {
    const args = this.#args;
    if (args === undefined) {
      this.ctx.storage.kv.put(ENDED, true);
      return { reply: "already_stopped" };
    }
    // Dead before the first await: whoever gets in while the storage is wiped hears noproc.
    this.#args = undefined;
    try {
      await this.terminate(reason, args);
    } catch (error) {
      // As in OTP, a process that fails in terminate ends all the same.
      console.error(`terminate failed: ${messageOf(error)}`);
    }
    try {
      await this.ctx.storage.deleteAll();
    } catch (error) {
      // The storage is as it was, so the process lives: the caller hears of a failure and stops it again.
      this.#args = args;
      throw error;
    }
    this.timers.reset();
    return { reply: "stopped" };
  }

  /** Runs the body of a call. Without a live process it is `noproc` and the body does not run. */
  protected handleCall<T>(body: (args: Args) => T): Reply<T> {
    const args = this.#args;
    if (args === undefined) return { exit: "noproc" };
    try {
      return { reply: body(args) };
    } catch (error) {
      return replyOf(error);
    }
  }

  /** The object's alarm, which belongs to the timers. */
  override async alarm(): Promise<void> {
    const args = this.#args;
    if (args === undefined) return;
    await this.timers.deliver((message) => this.handleInfo(message, args));
  }
}

/** Runs the body of a call that awaits. */
export async function asReply<T>(body: () => Promise<T>): Promise<Reply<T>> {
  try {
    return { reply: await body() };
  } catch (error) {
    return replyOf(error);
  }
}

/**
 * The one boundary between a caller's mistake and a crash. A {@link Refusal} becomes data, and so does an
 * {@link Exit} that the process met in a call of its own: the caller learns why. Anything else goes on.
 */
function replyOf(error: unknown): Reply<never> {
  if (error instanceof Refusal) return { refusal: { code: error.code, message: error.message } };
  if (error instanceof Exit) return { exit: error.reason, overloaded: error.overloaded };
  throw error;
}
