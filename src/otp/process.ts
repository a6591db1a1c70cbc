/** A process on a Durable Object: it starts, is watched, and ends. */

import { Callbacks } from "./callbacks.ts";
import { asReply, Exit, messageOf, type Refusal, type Reply } from "./exit.ts";
import { failpoint } from "./failpoint.ts";
import { haveSame, type Life, type Manner } from "./life.ts";
import { FORGET, FORGET_AFTER_MS, isInternal, NOTICES, NOTICES_AFTER_MS, type Internal } from "./internal.ts";
import { Monitors, Outbox, type Monitor, type Notice } from "./monitor.ts";
import { Records } from "./records.ts";
import { restarted, type RestartKind } from "./restart.ts";
import { Timers, type Clock } from "./timers.ts";
import { dropEverything } from "./wipe.ts";

export interface StartOptions {
  /** What an exit or a crash does; `permanent` if left out. */
  readonly restart?: RestartKind;
  /** A monitor that exists from the first moment of the process. */
  readonly monitor?: Monitor;
}

/** Milliseconds between two alarms of an object whose data is newer than the code. */
const NEWER_ALARM_MS = 3_600_000;

/**
 * A process lives from `start` until it ends: by `stop`, by an exit signal, or by a crash. Its life is a record in its
 * own storage: while that is there the process lives, through eviction, hibernation and deployment; without it, it
 * answers `noproc` and writes nothing.
 *
 * A subclass fills in `init` and the {@link Callbacks} that it needs. `Args` and `Info` must survive structured cloning,
 * `Args` JSON too.
 */
export abstract class Process<Env, Args extends object, Info = never> extends Callbacks<Env, Args, Info> {
  protected readonly clock: Clock = () => Date.now();
  protected override readonly timers: Pick<Timers<Info>, "sendAfter" | "due" | "cancel">;
  readonly #timers: Timers<Info | Internal>;
  readonly #records: Records<Args>;
  readonly #monitors: Monitors;
  readonly #outbox: Outbox;
  #life: Life<Args> | undefined;
  /** Settles when the storage is wiped; undefined unless an end is under way. */
  #wiping: Promise<void> | undefined;
  #restarting = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#records = new Records(ctx.storage, this.migrations);
    this.#life = this.#records.life();
    this.#monitors = new Monitors(ctx.storage.kv);
    this.#outbox = new Outbox(ctx, env);
    this.#timers = new Timers<Info | Internal>(ctx, {
      clock: () => this.clock(),
      setBack: () => this.clockSetBack(),
    });
    this.timers = this.#timers;
    // Before the first message, so that no process serves one while its alarm is lost.
    if (this.refusal === undefined && this.#timers.pending) {
      void ctx.blockConcurrencyWhile(() => this.#timers.restore());
    }
  }

  /** The refusal of all calls: the data is of a newer version than the code. Undefined if it is not. */
  protected get refusal(): Refusal | undefined {
    return this.#records.newer;
  }

  /** The process's life; undefined if it does not live. */
  protected get life(): Life<Args> | undefined {
    return this.#life;
  }

  /** Stores a changed life. */
  protected keep(life: Life<Args>): void {
    this.#records.keep(life);
    this.#life = life;
  }

  /** The arguments that the process was started with; undefined if it does not live. */
  protected get args(): Args | undefined {
    return this.#life?.args;
  }

  /** The monitors on this process. */
  protected get monitors(): readonly Monitor[] {
    return this.#monitors.all();
  }

  /** Sets an alarm again that should have fired and has not. Every call that wakes the object begins with this. */
  protected wake(): void {
    this.#timers.wake();
  }

  /**
   * Starts the process. Idempotent: a second start with the same arguments changes nothing. Arguments are the same when
   * all members that both have are the same, since the stored ones may be an older version's. A process that has ended,
   * or was stopped before its start arrived, does not start within a minute: its end has been acknowledged.
   *
   * @returns `started`, or `already_started`; refused with `already_started` under other arguments.
   */
  start(args: Args, options: StartOptions = {}): Reply<"started" | "already_started"> {
    const running = this.#life;
    if (running !== undefined) {
      return haveSame(running.args, args)
        ? { reply: "already_started" }
        : { refusal: { code: "already_started", message: "The process runs with other arguments." } };
    }
    if (this.liveliness !== "noproc" || this.#records.obituary() !== undefined) return this.absent();
    const life: Life<Args> = { args, restart: options.restart ?? "permanent", restarts: 0, recent: [] };
    // One transaction: a start that is cut off leaves neither life nor monitor nor tables behind.
    this.#transaction(() => {
      this.#records.begin(life);
      if (options.monitor !== undefined) this.#monitors.add(options.monitor);
      if (globalThis.KV_FAILPOINTS) void failpoint(this.ctx, "start: arguments written, tables not");
      this.init(args);
    });
    this.#life = life;
    if (globalThis.KV_FAILPOINTS) void failpoint(this.ctx, "start: written, not answered");
    return { reply: "started" };
  }

  /**
   * Ends the process: `terminate` runs, its storage is wiped, and its watchers are told. Idempotent: a process that has
   * ended stays so, and one that has not started yet never will.
   *
   * `asker` is the ref of a monitor for which the reply is the notice: it gets no other, like a supervisor that
   * terminates a child which it monitors.
   *
   * @returns the reason with which the process ended: another one, if it had ended before.
   */
  async stop(reason: string, asker?: string): Promise<Reply<string>> {
    this.wake();
    return asReply(async () => {
      if (this.refusal !== undefined) throw this.refusal;
      // An end that is under way comes first: the reply promises that everything is wiped.
      await this.#wiping?.catch(() => undefined);
      if (this.#life === undefined) return this.#endedBefore(reason, asker);
      await this.#end(this.#life, reason, { terminate: true, asker });
      if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "stop: ended, not answered");
      return reason;
    });
  }

  /**
   * An exit signal, as `Process.exit/2` sends it. `normal` from another process is ignored; `kill` can't be handled, and
   * becomes `killed`. The reply comes when all watchers have been told.
   *
   * @returns `exited`: a temporary process has ended, a permanent one is restarting. `ignored`: neither.
   */
  async exit(reason: string): Promise<Reply<"exited" | "ignored">> {
    this.wake();
    const life = this.#life;
    if (life === undefined) return this.absent();
    if (reason === "normal") return { reply: "ignored" };
    const kill = reason === "kill";
    if (!kill && this.handleExit(reason, life.args) === "handled") return { reply: "ignored" };
    return asReply<"exited">(async () => {
      await this.die(life, kill ? "killed" : reason, { terminate: !kill });
      return "exited";
    });
  }

  /** Monitors this process; `noproc` at once if it does not live. Idempotent for one ref. */
  monitor(monitor: Monitor): Reply<null> {
    if (this.#life === undefined) return this.absent();
    this.#monitors.add(monitor);
    return { reply: null };
  }

  /** Removes a monitor, and its notices that are not delivered (OTP's `demonitor` with `flush`). */
  demonitor(ref: string): Reply<null> {
    if (this.refusal !== undefined) return this.absent();
    this.#monitors.remove(ref);
    this.#outbox.flush(ref);
    return { reply: null };
  }

  /** The watcher's side of a notice: the reply, after it has been handled, acknowledges it. */
  async notify(notice: Notice): Promise<Reply<null>> {
    this.wake();
    const life = this.#life;
    if (life === undefined) return this.absent();
    return asReply(async () => {
      await this.handleNotice(notice, life.args);
      return null;
    });
  }

  /** The object's alarm, which belongs to the timers. */
  override async alarm(): Promise<void> {
    // Its timers are in a format that is not known here. An alarm every hour lets newer code find them again.
    if (this.refusal !== undefined) return this.ctx.storage.setAlarm(this.clock() + NEWER_ALARM_MS);
    await this.#timers.deliver(async (message, done) => {
      // A process that is being wiped gets no timer; if the wipe fails it gets all of them after all.
      await this.#wiping?.catch(() => undefined);
      // The rows stay, and the object that comes after the reset sets the alarm again.
      if (this.#restarting) return;
      const rest = isInternal(message) ? this.#handleInternal(message) : this.#inform(message, done);
      await rest;
      if (rest !== undefined && !this.#restarting) done();
    });
  }

  #inform(message: Info, done: () => void): Promise<void> | undefined {
    const { args } = this;
    return this.#transaction(() => {
      const rest = args === undefined ? undefined : this.handleInfo(message, args);
      if (rest === undefined) done();
      return rest as Promise<void> | undefined;
    });
  }

  /** The reason with which the process ended, while the object remembers it. */
  protected get lastWords(): string | undefined {
    return this.#life === undefined ? this.#records.obituary() : undefined;
  }

  /** Ends the process without notices: its watchers have said that they do not know it. */
  protected async vanish(): Promise<void> {
    if (this.#life !== undefined) await this.#end(this.#life, "noproc", { terminate: true, notices: "none" });
  }

  /**
   * Ends the process after an exit signal or a crash: for good if it is temporary, to come back if it is permanent.
   * Returns when all watchers have been told.
   */
  protected async die(life: Life<Args>, reason: string, { terminate }: Manner): Promise<void> {
    if (life.restart === "temporary") await this.#end(life, reason, { terminate });
    else await this.#restart(life, reason, { terminate });
  }

  /** Resets the object's memory, as after a crash. Counts as no restart, and sends no notice. */
  protected async renew(reason: string): Promise<void> {
    if (this.#life === undefined) return;
    this.#life = undefined;
    this.#restarting = true;
    await this.#reset(reason);
  }

  /** Whether it lives; `restarting` while that is not decided. */
  protected get liveliness(): "lives" | "restarting" | "noproc" {
    if (this.#life !== undefined) return "lives";
    // Not `noproc` while it is being wiped: if the wipe fails, it lives.
    const undecided = this.#restarting || this.#wiping !== undefined || this.refusal !== undefined;
    return undecided ? "restarting" : "noproc";
  }

  /** The answer of a process that does not live, or does not live at this moment. */
  protected absent(): Reply<never> {
    if (this.refusal !== undefined) {
      const { code, message } = this.refusal;
      return { refusal: { code, message } };
    }
    return { exit: this.liveliness === "noproc" ? "noproc" : "restarting" };
  }

  /** A permanent process: its memory goes, its storage stays, and its watchers are told that it was restarted. */
  async #restart(life: Life<Args>, reason: string, { terminate }: Manner): Promise<void> {
    const next: Life<Args> = { ...life, ...restarted(life, this.clock(), reason) };
    // The memory can't be trusted: from here on until the reset, callers are told to come again.
    this.#life = undefined;
    this.#restarting = true;
    try {
      if (terminate) await this.#terminate(reason, life.args);
      this.#transaction(() => {
        this.#records.keep(next);
        const { restarts, givenUp } = next;
        for (const { ref, watcher } of this.#monitors.all()) {
          this.#outbox.post(watcher, {
            kind: "restarted",
            ref,
            reason,
            restarts,
            givenUp: givenUp !== undefined,
          });
        }
        this.#scheduleNotices();
      });
      if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "restart: written, not told");
      await this.#tell();
      if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "restart: told, not reset");
    } finally {
      await this.#reset(reason);
    }
  }

  async #reset(reason: string): Promise<void> {
    // On disk first: an abort takes back what is not.
    await this.ctx.storage.sync().catch(() => undefined);
    void this.#abort(reason);
  }

  /** Not awaited: the reply has to leave before the object goes. */
  async #abort(reason: string): Promise<void> {
    await this.resetting(reason);
    setTimeout(() => this.ctx.abort(`reset: ${reason}`), 0);
  }

  async #end(life: Life<Args>, reason: string, manner: Manner): Promise<void> {
    // Dead before the first await: calls that come in while the storage is wiped read and write nothing.
    this.#life = undefined;
    this.#wiping = this.#wipe(life, reason, manner);
    try {
      await this.#wiping;
    } catch (error) {
      // The storage is as it was, so the process lives: the caller gets the error and tries again.
      this.#life = life;
      throw error;
    } finally {
      this.#wiping = undefined;
    }
    this.dropCaches();
    if (this.#outbox.isEmpty) this.ended(reason);
    else await this.#tell();
  }

  async #wipe({ args }: Life<Args>, reason: string, { terminate, asker, notices }: Manner): Promise<void> {
    if (terminate) await this.#terminate(reason, args);
    if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "end: terminated, not wiped");
    const told = notices === "none" ? [] : this.#monitors.all().filter(({ ref }) => ref !== asker);
    if (told.length === 0) return this.#bury(reason);
    // Wiped and obituary written in one transaction: at every moment the process either lives or owes its notices,
    // and never is both dead and readable.
    this.#transaction(() => {
      dropEverything(this.ctx.storage);
      if (globalThis.KV_FAILPOINTS) void failpoint(this.ctx, "end: wiped, obituary not written");
      this.#records.end(reason);
      for (const { ref, watcher } of told) this.#outbox.post(watcher, { kind: "down", ref, reason });
      this.#scheduleNotices();
    });
  }

  async #terminate(reason: string, args: Args): Promise<void> {
    try {
      await this.terminate(reason, args);
    } catch (error) {
      // As in OTP, a process that fails in terminate ends all the same.
      console.error(`terminate failed: ${messageOf(error)}`);
    }
  }

  /** A stop of a process that does not live: it has ended by itself, or has not started yet. */
  async #endedBefore(reason: string, asker: string | undefined): Promise<string> {
    if (this.#restarting) throw new Exit("restarting");
    const ended = this.#records.obituary();
    // A start may still be on its way. It must find that the process was stopped.
    if (ended === undefined) await this.#bury(reason);
    // The reply is the asker's notice, so its notice leaves the outbox.
    else if (asker !== undefined && this.#outbox.flush(asker) && this.#outbox.isEmpty)
      await this.#told(ended);
    return ended ?? reason;
  }

  async #handleInternal({ otp }: Internal): Promise<void> {
    if (otp === NOTICES) await this.#tell();
    else if (this.#life === undefined) {
      await this.ctx.storage.deleteAll();
      this.#timers.reset();
    }
  }

  #scheduleNotices(): void {
    this.#timers.sendAfter(NOTICES, { otp: NOTICES }, NOTICES_AFTER_MS);
  }

  /** Delivers all notices; the alarm sends those that fail again. */
  async #tell(): Promise<void> {
    await this.#outbox.deliver();
    if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "notice: removed, not cleared");
    const ended = this.#timers.due(FORGET) === undefined ? this.lastWords : undefined;
    if (ended !== undefined) await this.#told(ended);
    // Not if the last notice was flushed meanwhile and the obituary removed: an object without a process needs no timer.
    else if (this.#life !== undefined || this.#restarting) this.#timers.cancel(NOTICES);
  }

  /** All watchers have been told: only the mark of the end stays, and the process's connections are told. */
  async #told(reason: string): Promise<void> {
    await this.#bury(reason);
    this.ended(reason);
  }

  /** Wipes the storage, and leaves the mark of the end in it until no start can be on its way any more. */
  async #bury(reason: string): Promise<void> {
    this.#transaction(() => {
      dropEverything(this.ctx.storage);
      this.#records.end(reason);
      this.#timers.sendAfter(FORGET, { otp: FORGET }, FORGET_AFTER_MS);
    });
    if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "end: buried, not answered");
  }

  #transaction<T>(change: () => T): T {
    try {
      return this.ctx.storage.transactionSync(change);
    } catch (error) {
      this.#timers.undone();
      this.dropCaches();
      throw error;
    }
  }
}
