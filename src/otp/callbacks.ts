/** The callbacks of a process: what its class fills in, as the callbacks of an OTP behaviour. */

import { DurableObject } from "cloudflare:workers";
import type { Migrations } from "./migrations.ts";
import type { Notice } from "./monitor.ts";
import type { Timers } from "./timers.ts";

/** `Args`: what a process is started with. `Info`: the messages of its timers. */
export abstract class Callbacks<Env, Args extends object, Info> extends DurableObject<Env> {
  /** Timers of the class; {@link handleInfo} gets their messages. */
  protected abstract readonly timers: Pick<Timers<Info>, "sendAfter" | "due" | "cancel">;

  /**
   * How the tables and keys of the class became what {@link init} makes today (OTP's `code_change`). Read by the
   * constructor of the base class, before the class has its fields: return a constant.
   */
  protected get migrations(): Migrations {
    return { steps: [] };
  }

  /** Makes what the process needs in its storage. Runs once, in the transaction of the start. */
  protected abstract init(args: Args): void;

  /** Runs before the storage is wiped or the object is reset, at every end but a kill. */
  protected terminate(_reason: string, _args: Args): void | Promise<void> {}

  /** An exit signal other than `kill`. A process that handles it does not end (OTP's `trap_exit`). */
  protected handleExit(_reason: string, _args: Args): "exit" | "handled" {
    return "exit";
  }

  /**
   * A timer is due. What runs before the first `await`, if there is one, is one transaction. A handler that returns no
   * promise takes effect exactly once: the timer's row is removed in that transaction. One that returns a promise takes
   * effect at least once: the row is removed when the promise is fulfilled, and a crash before that delivers the message
   * again. If the handler throws, its transaction is undone, and the timer is delivered again later. (An `async` function
   * never throws: what it wrote before its promise was rejected stays.)
   */
  protected handleInfo(_message: Info, _args: Args): void | Promise<void> {}

  /**
   * A process that this one monitors has ended or restarted. The same notice may come more than once: it is removed in
   * the other object, after this has returned, so no transaction can hold both.
   */
  protected handleNotice(_notice: Notice, _args: Args): void | Promise<void> {}

  /** The clock was put back: stored times may be in the future, and must not make an interval longer. */
  protected clockSetBack(): void {}

  /** The storage was wiped, or a transaction was undone: drop what memory holds of the storage. */
  protected dropCaches(): void {}

  /** The process has ended and its watchers know: tell its connections, and close them. */
  protected ended(_reason: string): void {}

  /** The object is reset when this has returned: its connections will break. */
  protected resetting(_reason: string): void | Promise<void> {}
}
