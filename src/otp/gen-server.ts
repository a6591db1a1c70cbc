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
import { logIncident } from "./incident.ts";
import type { Life } from "./life.ts";
import { Process } from "./process.ts";
import { mayTryAgain } from "./restart.ts";
import { Serial } from "./serial.ts";

/**
 * The server half of a process, after OTP's `GenServer`. The object's single thread is the mailbox.
 *
 * A subclass writes its calls as methods whose body is `return this.handleCall(() => …)` or, if they await,
 * `return asReply(async () => …)`. The client half is `call` around the stub's method.
 */
export abstract class GenServer<Env, Args extends object, Info = never> extends Process<Env, Args, Info> {
  /** Runs handlers that await one at a time for each key. */
  protected readonly serial = new Serial<string>();

  /**
   * Runs the body of a call. If the process does not live, the reply is `noproc` and the body does not run. A refusal
   * that the body throws becomes the reply; any other exception is a crash, which ends the process. A body that changes
   * more than one row needs a transaction: a crash keeps the rows that were written before it.
   */
  protected handleCall<T>(body: (args: Args) => T): Answered<T> {
    // Also without a life: a process that has ended may owe notices, which its alarm sends.
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

  /** As {@link handleCall}, for a call that also finds out whether a process that was given up on works again. */
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
    // A fault of the platform does not end the process; for the caller, the outcome is unknown.
    if (isInfrastructure(error)) throw error;
    const crash = { crash: messageOf(error), incident: logIncident("crash", error) };
    return asReply(async () => {
      if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "crash: caught, nothing written");
      // Another call may have ended it meanwhile.
      if (this.life === life) await this.die(life, formatReason(crash), { terminate: true });
      throw new Exit(crash);
    });
  }
}

function givenUp(reason: string): Reply<never> {
  return {
    refusal: {
      code: "restart_intensity",
      message: `It was restarted too often in a short time, and serves nothing until a probe finds that it works (${reason}). Nothing was done.`,
    },
  };
}
