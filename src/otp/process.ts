/** A process on a Durable Object: it starts, is watched, and ends. */

import { DurableObject } from "cloudflare:workers";
import { asReply, Exit, messageOf, type Refusal, type Reply } from "./exit.ts";
import { failpoint } from "./failpoint.ts";
import { haveSame, type Life, type Manner } from "./life.ts";
import { Versions, type Migrations } from "./migrations.ts";
import { Monitors, Outbox, type Monitor, type Notice } from "./monitor.ts";
import { PROCESS_MIGRATIONS } from "./process-migrations.ts";
import { restarted, type RestartKind } from "./restart.ts";
import { Timers, type Clock } from "./timers.ts";
import { dropEverything } from "./wipe.ts";

export interface StartOptions {
  /** What an exit or a crash does; `permanent` if left out. */
  readonly restart?: RestartKind;
  /** Who monitors the process from its first moment on. */
  readonly monitor?: Monitor;
}

/** Keys of the storage that begin with `otp:` are the process's own; its class may use every other one. */
const PROCESS = "otp:process";
/** The reason with which it ended, for as long as somebody has to be told. */
const ENDED = "otp:ended";

/** Timers of the process's own, beside those of its subclass. */
const NOTICES = "otp:notices";
const FORGET = "otp:forget";
type Internal = { readonly otp: typeof NOTICES | typeof FORGET };

/** How long a notice is left to whoever has just posted it before the alarm sends it again, in milliseconds. */
const NOTICES_AFTER_MS = 2_000;
/** How long a process that was stopped before its start came remembers that, in milliseconds. */
const FORGET_AFTER_MS = 60_000;
/** How often an object whose data is newer than the code wakes, to find its timers when newer code is back, in milliseconds. */
const NEWER_ALARM_MS = 3_600_000;
/** Formats of what is kept: the process's own, and that of its class. */
const OWN = "otp";
const DATA = "data";

/**
 * A process lives from `start` until it ends: by `stop`, by an exit signal, or by a crash. What it is kept in
 * its own storage: as long as that is there it lives, through eviction, hibernation and deployment, and
 * without it it answers `noproc` and writes nothing.
 *
 * A subclass fills in `init` and what else it needs of the hooks. `Args` and `Info` must survive structured
 * cloning, `Args` JSON too.
 */
export abstract class Process<Env, Args extends object, Info = never> extends DurableObject<Env> {
  protected readonly clock: Clock = () => Date.now();
  protected readonly timers: Pick<Timers<Info>, "sendAfter" | "due" | "cancel">;
  readonly #timers: Timers<Info | Internal>;
  readonly #monitors: Monitors;
  readonly #outbox: Outbox;
  readonly #versions: Versions;
  readonly #newer: Refusal | undefined;
  #life: Life<Args> | undefined;
  /** Settles when what the process kept is gone. */
  #wiping: Promise<void> | undefined;
  #restarting = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { kv } = ctx.storage;
    this.#versions = new Versions(ctx.storage, { [OWN]: PROCESS_MIGRATIONS, [DATA]: this.migrations });
    this.#newer = this.#versions.newer();
    // The process's own first: only then is it known whether it lives. One that has ended has no data of its class.
    if (this.#newer === undefined) {
      this.#versions.migrate(OWN);
      this.#life = kv.get<Life<Args>>(PROCESS);
      if (this.#life !== undefined) this.#versions.migrate(DATA);
    }
    this.#monitors = new Monitors(kv);
    this.#outbox = new Outbox(ctx, env);
    this.#timers = new Timers<Info | Internal>(ctx, {
      clock: () => this.clock(),
      setBack: () => this.clockSetBack(),
    });
    this.timers = this.#timers;
    // Held before the first message, so that none is served by a process whose alarm is lost.
    if (this.#newer === undefined && this.#timers.pending)
      void ctx.blockConcurrencyWhile(() => this.#timers.restore());
  }

  /**
   * How the tables and keys of the class came to be what they are (OTP's `code_change`). Read while the object is
   * constructed, so it can't use the fields of the class: return a constant.
   */
  protected get migrations(): Migrations {
    return { steps: [] };
  }

  /** Why the process serves nothing: its data is of a newer version than the code. Undefined if it is not. */
  protected get refusal(): Refusal | undefined {
    return this.#newer;
  }

  /** What the process is; undefined if it does not live. */
  protected get life(): Life<Args> | undefined {
    return this.#life;
  }

  /** Keeps what has changed of it. */
  protected keep(life: Life<Args>): void {
    this.ctx.storage.kv.put(PROCESS, life);
    this.#life = life;
  }

  /** The arguments that the process was started with; undefined if it does not live. */
  protected get args(): Args | undefined {
    return this.#life?.args;
  }

  /** Who watches the process. */
  protected get monitors(): readonly Monitor[] {
    return this.#monitors.all();
  }

  /** Makes what the process needs in its storage. Runs once, in one transaction with the start itself. */
  protected abstract init(args: Args): void;

  /** Says goodbye: runs before the storage is wiped or the object reset, at every end but a kill. */
  protected terminate(_reason: string, _args: Args): void | Promise<void> {}

  /** An exit signal other than `kill`. One that is handled does not end the process (OTP's `trap_exit`). */
  protected handleExit(_reason: string, _args: Args): "exit" | "handled" {
    return "exit";
  }

  /** A message that nobody waits for: a timer. One that throws is delivered again later. */
  protected handleInfo(_message: Info, _args: Args): void | Promise<void> {}

  /** A process that this one monitors has ended or restarted. The same notice may come more than once. */
  protected handleNotice(_notice: Notice, _args: Args): void | Promise<void> {}

  /** The clock was put back: times that are kept may be in the future, and intervals must not become longer for that. */
  protected clockSetBack(): void {}

  /** To be called by all that wakes the object: an alarm that should have fired, and has not, is set again. */
  protected wake(): void {
    this.#timers.wake();
  }

  /** The storage is wiped: what memory held of it is to be dropped. */
  protected wiped(): void {}

  /** The process has ended and its watchers know: connections that it held can be told, and closed. */
  protected ended(_reason: string): void {}

  /** The object is about to be reset, when this has returned; connections that it holds will break. */
  protected resetting(_reason: string): void | Promise<void> {}

  /**
   * Starts the process. Idempotent: a second start with the same arguments changes nothing.
   * Arguments are the same when what both have is: those that are kept may be an older version's. A process that was
   * stopped before its start arrived is not started: the start was overtaken, and nobody waits for it any more.
   *
   * @returns `started`, or `already_started`; refused with `already_started` under other arguments.
   */
  start(args: Args, options: StartOptions = {}): Reply<"started" | "already_started"> {
    if (this.#newer !== undefined || this.#restarting || this.#wiping !== undefined) return this.absent();
    const running = this.#life;
    if (running !== undefined) {
      return haveSame(running.args, args)
        ? { reply: "already_started" }
        : { refusal: { code: "already_started", message: "the process runs with other arguments" } };
    }
    const { storage } = this.ctx;
    if (storage.kv.get<string>(ENDED) !== undefined) return { exit: "noproc" };
    const life: Life<Args> = { args, restart: options.restart ?? "permanent", restarts: 0, recent: [] };
    // One transaction: a start that is cut off leaves neither arguments nor monitor nor schema behind.
    this.#transaction(() => {
      this.#versions.mark(OWN, DATA);
      storage.kv.put(PROCESS, life);
      if (options.monitor !== undefined) this.#monitors.add(options.monitor);
      if (globalThis.KV_FAILPOINTS) void failpoint(this.ctx, "start: arguments written, tables not");
      this.init(args);
    });
    this.#life = life;
    if (globalThis.KV_FAILPOINTS) void failpoint(this.ctx, "start: written, not answered");
    return { reply: "started" };
  }

  /**
   * Ends the process: `terminate` runs, everything in its storage is wiped, and its watchers are told.
   * Idempotent: what does not live any more is stopped, and what does not live yet never will.
   *
   * `asker` is the ref of a monitor to whom the reply is its notice: it hears no other, as a supervisor
   * that terminates a child it monitors.
   *
   * @returns the reason with which the process ended: another one, if it had ended before.
   */
  async stop(reason: string, asker?: string): Promise<Reply<string>> {
    this.wake();
    return asReply(async () => {
      if (this.#newer !== undefined) throw this.#newer;
      // An end that has begun comes first: whoever is told "stopped" may rely on everything being wiped.
      await this.#wiping?.catch(() => undefined);
      if (this.#life === undefined) return this.#endedBefore(reason, asker);
      await this.#end(this.#life, reason, { terminate: true, asker });
      if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "stop: ended, not answered");
      return reason;
    });
  }

  /**
   * An exit signal, as `Process.exit/2` sends it. `normal` from another process is ignored; `kill` can't be
   * handled, and becomes `killed`. The reply comes when the watchers know: after it, the end is history.
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

  /** Monitors this process. What does not live is `noproc` at once. Idempotent for one ref. */
  monitor(monitor: Monitor): Reply<null> {
    if (this.#life === undefined) return this.absent();
    this.#monitors.add(monitor);
    return { reply: null };
  }

  /** Takes a monitor back, and what it has not heard yet (OTP's `demonitor` with `flush`). */
  demonitor(ref: string): Reply<null> {
    if (this.#newer !== undefined) return this.absent();
    this.#monitors.remove(ref);
    this.#outbox.flush(ref);
    return { reply: null };
  }

  /** The watcher's side of a notice: acknowledged when it has been handled. */
  async notify(notice: Notice): Promise<Reply<null>> {
    this.wake();
    const life = this.#life;
    if (life === undefined) return this.absent();
    return asReply(async () => {
      await this.handleNotice(notice, life.args);
      return null;
    });
  }

  /** The reason with which the process ended, while somebody has not been told yet. */
  protected get lastWords(): string | undefined {
    if (this.#life !== undefined || this.#newer !== undefined) return undefined;
    return this.ctx.storage.kv.get<string>(ENDED);
  }

  /** Ends the process with nobody to tell: those who watched it have said that they do not know it. */
  protected async vanish(): Promise<void> {
    if (this.#life !== undefined) await this.#end(this.#life, "noproc", { terminate: true, tell: "nobody" });
  }

  /** The object's alarm, which belongs to the timers. */
  override async alarm(): Promise<void> {
    // When its timers are due is written in a format that is not known here: it is kept awake until newer code is back.
    if (this.#newer !== undefined) return this.ctx.storage.setAlarm(this.clock() + NEWER_ALARM_MS);
    // The rows stay, and the object that comes after the reset sets the alarm again.
    if (this.#restarting) return;
    // What is being wiped hears nothing; if that fails it hears everything after all.
    await this.#wiping?.catch(() => undefined);
    await this.#timers.deliver(async (message) => {
      if (isInternal(message)) await this.#handleInternal(message);
      else if (this.#life !== undefined) await this.handleInfo(message, this.#life.args);
    });
  }

  /**
   * Ends the process against its will: for good if it is temporary, and to come back if it is permanent.
   * Returns when its watchers know.
   */
  protected async die(life: Life<Args>, reason: string, { terminate }: Manner): Promise<void> {
    if (life.restart === "temporary") await this.#end(life, reason, { terminate });
    else await this.#restart(life, reason, { terminate });
  }

  /** A permanent process: its memory goes, its storage stays, and its watchers hear that it was restarted. */
  async #restart(life: Life<Args>, reason: string, { terminate }: Manner): Promise<void> {
    const next: Life<Args> = { ...life, ...restarted(life, this.clock(), reason) };
    // The memory is not to be trusted: from here on until the reset, callers are told to come again.
    this.#life = undefined;
    this.#restarting = true;
    try {
      if (terminate) await this.#terminate(reason, life.args);
      this.#transaction(() => {
        this.ctx.storage.kv.put(PROCESS, next);
        for (const { ref, watcher } of this.#monitors.all()) {
          const { restarts } = next;
          const tooMany = next.givenUp !== undefined;
          this.#outbox.post(watcher, { kind: "restarted", ref, reason, restarts, givenUp: tooMany });
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

  /**
   * The memory goes, as after a crash, and nothing else happens: no restart is counted, and no watcher hears of one. Callers
   * are told to come again until it is done.
   */
  protected async renew(reason: string): Promise<void> {
    if (this.#life === undefined) return;
    this.#life = undefined;
    this.#restarting = true;
    await this.#reset(reason);
  }

  async #reset(reason: string): Promise<void> {
    // On disk first: an abort takes back what is not.
    await this.ctx.storage.sync().catch(() => undefined);
    void this.#abort(reason);
  }

  /** Not awaited: the reply has to be on its way before the object goes. */
  async #abort(reason: string): Promise<void> {
    await this.resetting(reason);
    setTimeout(() => this.ctx.abort(`reset: ${reason}`), 0);
  }

  async #end(life: Life<Args>, reason: string, manner: Manner): Promise<void> {
    // Dead before the first await: whoever gets in while the storage is wiped reads and writes nothing.
    this.#life = undefined;
    this.#wiping = this.#wipe(life, reason, manner);
    try {
      await this.#wiping;
    } catch (error) {
      // The storage is as it was, so the process lives: the caller hears of a failure and tries again.
      this.#life = life;
      throw error;
    } finally {
      this.#wiping = undefined;
    }
    this.wiped();
    if (this.#outbox.isEmpty) this.ended(reason);
    else await this.#tell();
  }

  async #wipe({ args }: Life<Args>, reason: string, { terminate, asker, tell }: Manner): Promise<void> {
    if (terminate) await this.#terminate(reason, args);
    if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "end: terminated, not wiped");
    const told = tell === "nobody" ? [] : this.#monitors.all().filter(({ ref }) => ref !== asker);
    if (told.length === 0) return this.#clear();
    // What it kept goes and the obituary comes in one transaction: there is no moment at which the process
    // is neither there nor owes a word, and none at which it is both dead and readable.
    this.#transaction(() => {
      dropEverything(this.ctx.storage);
      if (globalThis.KV_FAILPOINTS) void failpoint(this.ctx, "end: wiped, obituary not written");
      this.#versions.mark(OWN);
      this.ctx.storage.kv.put(ENDED, reason);
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

  /** Stopping what does not live: it may have ended by itself, or not have begun. */
  async #endedBefore(reason: string, asker: string | undefined): Promise<string> {
    if (this.#restarting) throw new Exit("restarting");
    const { kv } = this.ctx.storage;
    const ended = kv.get<string>(ENDED);
    if (ended === undefined) {
      // A start may still be on its way. It must not find an object that knows nothing.
      this.#transaction(() => {
        this.#versions.mark(OWN);
        kv.put(ENDED, reason);
        this.#timers.sendAfter(FORGET, { otp: FORGET }, FORGET_AFTER_MS);
      });
      return reason;
    }
    // The reply is the asker's notice, so it is taken out of the post.
    if (asker !== undefined && this.#outbox.flush(asker) && this.#outbox.isEmpty) await this.#told(ended);
    return ended;
  }

  async #handleInternal({ otp }: Internal): Promise<void> {
    if (otp === NOTICES) await this.#tell();
    else if (this.#life === undefined) await this.#clear();
  }

  #scheduleNotices(): void {
    this.#timers.sendAfter(NOTICES, { otp: NOTICES }, NOTICES_AFTER_MS);
  }

  /** Tells everybody; what fails is sent again by the alarm. */
  async #tell(): Promise<void> {
    await this.#outbox.deliver();
    if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "notice: removed, not cleared");
    const ended = this.lastWords;
    if (ended !== undefined) await this.#told(ended);
    // Not where the last word was taken out of the post meanwhile: an empty object stays empty.
    else if (this.#life !== undefined || this.#restarting) this.#timers.cancel(NOTICES);
  }

  /** Everybody knows: nothing of the process is left, and its connections can hear of it. */
  async #told(reason: string): Promise<void> {
    await this.#clear();
    this.ended(reason);
  }

  async #clear(): Promise<void> {
    await this.ctx.storage.deleteAll();
    this.#timers.reset();
    if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "end: cleared, not answered");
  }

  #transaction(change: () => void): void {
    try {
      this.ctx.storage.transactionSync(change);
    } catch (error) {
      this.#timers.undone();
      throw error;
    }
  }

  /** Whether it lives; `restarting` while that is not decided. */
  protected get liveliness(): "lives" | "restarting" | "noproc" {
    if (this.#life !== undefined) return "lives";
    // Not `noproc` while it is being wiped: that may still fail, and then it lives.
    const undecided = this.#restarting || this.#wiping !== undefined || this.#newer !== undefined;
    return undecided ? "restarting" : "noproc";
  }

  /** The answer of a process that does not live, or not at this moment. */
  protected absent(): Reply<never> {
    if (this.#newer !== undefined) {
      const { code, message } = this.#newer;
      return { refusal: { code, message } };
    }
    return { exit: this.liveliness === "noproc" ? "noproc" : "restarting" };
  }
}

function isInternal(message: unknown): message is Internal {
  return typeof message === "object" && message !== null && "otp" in message;
}
