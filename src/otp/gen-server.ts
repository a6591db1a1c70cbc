/** A process that answers calls. */

import {
  Exit,
  asReply,
  formatReason,
  isInfrastructure,
  messageOf,
  replyOf,
  type Answered,
  type Reply,
} from "./exit.ts";
import { failpoint } from "./failpoint.ts";
import type { Life } from "./life.ts";
import { Process } from "./process.ts";
import { mayTryAgain } from "./restart.ts";
import { Serial } from "./serial.ts";

/**
 * The server half of a process, after OTP's `GenServer`. The object's single thread is the mailbox.
 *
 * A subclass writes its calls as methods whose body is `return this.handleCall(() => …)`, or, where they
 * await, `return asReply(async () => …)`. The client half is `call` around the stub's method.
 */
export abstract class GenServer<Env, Args extends object, Info = never> extends Process<Env, Args, Info> {
  /** One message at a time for each key, where a handler awaits. */
  protected readonly serial = new Serial<string>();

  /**
   * Runs the body of a call; without a live process it is `noproc` and the body does not run. This is the
   * boundary between a caller's mistake, an answer, and the process's own crash, which ends it. A body that
   * changes more than one row does it in a transaction: a crash keeps what was written before.
   */
  protected handleCall<T>(body: (args: Args) => T): Answered<T> {
    // Also where there is no life: a process that has ended may owe its watchers a word.
    this.wake();
    const { life } = this;
    if (life === undefined) return this.absent();
    if (life.givenUp !== undefined) return givenUp(life.givenUp);
    try {
      return { reply: body(life.args) };
    } catch (error) {
      return replyOf(error) ?? this.#crashed(life, error);
    }
  }

  /** As {@link handleCall}, for a call that also tries whether a process that was given up on is well. */
  protected handleProbe<T>(body: (args: Args) => T): Answered<T> {
    const { life } = this;
    if (life?.givenUp === undefined) return this.handleCall(body);
    this.wake();
    if (!mayTryAgain(life, this.clock())) return givenUp(life.givenUp);
    try {
      const reply = body(life.args);
      const { givenUp: _, ...well } = life;
      this.keep(well);
      return { reply };
    } catch (error) {
      return givenUp(messageOf(error));
    }
  }

  async #crashed(life: Life<Args>, error: unknown): Promise<Reply<never>> {
    // The platform's fault is not the process's: it lives, and its caller hears that the outcome is unknown.
    if (isInfrastructure(error)) throw error;
    console.error("crash", error);
    const crash = { crash: messageOf(error) };
    return asReply(async () => {
      if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "crash: caught, nothing written");
      // While a call was being answered, another one may have ended it.
      if (this.life === life) await this.die(life, formatReason(crash), { terminate: true });
      throw new Exit(crash);
    });
  }
}

function givenUp(reason: string): Reply<never> {
  return {
    refusal: {
      code: "restart_intensity",
      message: `It was restarted too often in a short time and is left alone until it is found well (${reason}). Nothing was done.`,
    },
  };
}
