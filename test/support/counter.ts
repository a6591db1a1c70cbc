/** A small process, the tests' own, on src/otp alone: it counts, and can be made to fail. */

import { asReply, Exit, Refusal, type Answered, type Reply } from "../../src/otp/exit.ts";
import { GenServer } from "../../src/otp/gen-server.ts";
import type { Migrations } from "../../src/otp/migrations.ts";
import type { Notice } from "../../src/otp/monitor.ts";

export interface CounterArgs {
  readonly from: number;
}

/** The moment at which the clock of all that have none of their own was stopped; undefined while it runs. */
export const stopped: { at: number | undefined } = { at: undefined };

/** The migrations of all counters that wake from now on, for the tests of them. */
export const counterMigrations: { now: Migrations } = { now: { steps: [] } };

export class Counter extends GenServer<Cloudflare.Env, CounterArgs, string> {
  /** What `handleInfo` was given, in order. */
  readonly heard: string[] = [];
  /** What `terminate` was given. */
  readonly goodbyes: unknown[] = [];
  /** Notices of processes that it watches, in order. */
  readonly notices: Notice[] = [];
  /** Exit signals that it has handled. */
  readonly signals: string[] = [];
  /** Whether exit signals are handled. */
  trapsExits = false;
  /** How often `handleInfo` has still to throw. */
  failures = 0;
  /** How often it was told to drop what memory holds of the storage. */
  dropped = 0;
  /** Called by `handleInfo`. */
  duringInfo: (() => void) | undefined;
  /** What its own clock says, if it has one. */
  now: number | undefined;
  protected override readonly clock = () => this.now ?? stopped.at ?? Date.now();

  next(): Answered<number> {
    return this.handleCall(() => this.#count());
  }

  probe(): Answered<number> {
    return this.handleProbe(() => this.heard.length);
  }

  refuse(): Answered<never> {
    return this.handleCall(() => {
      throw new Refusal("no_such_thing", "there is no such thing");
    });
  }

  crash(): Answered<never> {
    return this.handleCall(() => {
      throw new TypeError("out of cheese");
    });
  }

  async callsTheDead(): Promise<Reply<never>> {
    return asReply(() => Promise.reject(new Exit("noproc")));
  }

  /** Fails as the platform does. */
  fail(message: string): Answered<never> {
    return this.handleCall(() => {
      throw new Error(message);
    });
  }

  hang(): Promise<Reply<never>> {
    return new Promise(() => undefined);
  }

  remind(key: string, message: string, delayMs: number): Answered<void> {
    return this.handleCall(() => this.timers.sendAfter(key, message, delayMs));
  }

  forget(key: string): Answered<void> {
    return this.handleCall(() => this.timers.cancel(key));
  }

  protected override get migrations(): Migrations {
    return counterMigrations.now;
  }

  protected override init({ from }: CounterArgs): void {
    this.ctx.storage.sql.exec("CREATE TABLE counter (count INTEGER NOT NULL)");
    this.ctx.storage.sql.exec("INSERT INTO counter VALUES (?)", from);
  }

  protected override terminate(reason: unknown): void {
    this.goodbyes.push(reason);
  }

  protected override handleExit(reason: string): "exit" | "handled" {
    if (!this.trapsExits) return "exit";
    this.signals.push(reason);
    return "handled";
  }

  protected override dropCaches(): void {
    this.dropped += 1;
  }

  protected override handleNotice(notice: Notice): void {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error("made to fail");
    }
    this.notices.push(notice);
  }

  /** A message that begins with `count` counts one more; after one that ends in `…` it awaits. */
  protected override handleInfo(message: string): void | Promise<void> {
    if (message.startsWith("count")) this.#count();
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error("made to fail");
    }
    this.heard.push(message);
    this.duringInfo?.();
    return message.endsWith("…") ? Promise.resolve() : undefined;
  }

  #count(): number {
    return this.ctx.storage.sql
      .exec<{ count: number }>("UPDATE counter SET count = count + 1 RETURNING count")
      .one().count;
  }
}
