/** Monitors: who hears how a process ends, and the outbox that tells them, at least once. */

import { call, DEFAULT_CALL_TIMEOUT_MS } from "./call.ts";
import { Deadlines } from "./deadlines.ts";
import { isExit, type Reply } from "./exit.ts";
import { failpoint } from "./failpoint.ts";
import { Serial } from "./serial.ts";

/** Where a process can be reached: a binding of the environment, and the id of an object behind it. */
export interface Address {
  readonly binding: string;
  /** 64 hexadecimal digits. */
  readonly id: string;
}

/** One process that watches another. `ref` tells this monitor from every other that there is. */
export interface Monitor {
  readonly ref: string;
  readonly watcher: Address;
}

/**
 * What a watcher hears.
 *
 * - `down`: the process has ended, and what it kept is wiped. OTP's `{:DOWN, ref, …, reason}`.
 * - `restarted`: it ended and lives on with its durable state, as a supervisor's permanent child. `restarts`
 *   counts them all; `givenUp` says that there were too many in too short a time.
 *
 * The same notice may come more than once: `down` is told apart by its ref, `restarted` by its count.
 */
export type Notice =
  | { readonly kind: "down"; readonly ref: string; readonly reason: string }
  | {
      readonly kind: "restarted";
      readonly ref: string;
      readonly reason: string;
      readonly restarts: number;
      readonly givenUp: boolean;
    };

/** A notice on its way. */
interface Letter {
  readonly key: string;
  readonly to: Address;
  readonly notice: Notice;
}

type Kv = DurableObjectStorage["kv"];

const MONITOR = "otp:monitor/";
const NOTICE = "otp:notice/";
/** Digits of a notice's number, so that keys sort as numbers do. */
const DIGITS = 12;

/** The monitors on one process, as rows: they survive the process's restart. */
export class Monitors {
  readonly #kv: Kv;

  constructor(kv: Kv) {
    this.#kv = kv;
  }

  /** Idempotent for one ref. */
  add({ ref, watcher }: Monitor): void {
    this.#kv.put(MONITOR + ref, watcher);
  }

  remove(ref: string): void {
    this.#kv.delete(MONITOR + ref);
  }

  all(): Monitor[] {
    return [...this.#kv.list<Address>({ prefix: MONITOR })].map(([key, watcher]) => ({
      ref: key.slice(MONITOR.length),
      watcher,
    }));
  }
}

/** A watcher, as the one that owes it a notice sees it. */
interface Watcher extends Rpc.DurableObjectBranded {
  notify(notice: Notice): Promise<Reply<null>>;
}

/**
 * What a process owes its watchers: notices that have not been acknowledged, as rows, in the order in which
 * they were posted. A notice is removed when its watcher has acknowledged it, so one whose acknowledgement
 * is lost is sent again.
 */
export class Outbox {
  readonly #ctx: DurableObjectState;
  readonly #env: unknown;
  readonly #deadlines = new Deadlines(DEFAULT_CALL_TIMEOUT_MS);
  /** One delivery at a time, so that notices keep their order. */
  readonly #turns = new Serial<"delivery">();

  constructor(ctx: DurableObjectState, env: unknown) {
    this.#ctx = ctx;
    this.#env = env;
  }

  get isEmpty(): boolean {
    return this.#all().length === 0;
  }

  post(to: Address, notice: Notice): void {
    const { kv } = this.#ctx.storage;
    const [last] = [...kv.list({ prefix: NOTICE, reverse: true, limit: 1 })];
    const number = last === undefined ? 1 : Number(last[0].slice(NOTICE.length)) + 1;
    kv.put(NOTICE + String(number).padStart(DIGITS, "0"), { to, notice });
  }

  /**
   * Takes back what one monitor has not heard yet: OTP's `demonitor` with `flush`.
   * @returns whether there was anything.
   */
  flush(ref: string): boolean {
    const letters = this.#all().filter(({ notice }) => notice.ref === ref);
    for (const { key } of letters) this.#ctx.storage.kv.delete(key);
    return letters.length > 0;
  }

  /** Sends all, each until it is acknowledged; the first that is not ends the delivery, which then throws. */
  deliver(): Promise<void> {
    return this.#turns.run("delivery", async () => {
      for (const { key, to, notice } of this.#all()) {
        if (globalThis.KV_FAILPOINTS) await failpoint(this.#ctx, "notice: written, not sent");
        await this.#send(to, notice);
        if (globalThis.KV_FAILPOINTS) await failpoint(this.#ctx, "notice: sent, not removed");
        this.#ctx.storage.kv.delete(key);
      }
    });
  }

  async #send({ binding, id }: Address, notice: Notice): Promise<void> {
    const namespace = (this.#env as Record<string, DurableObjectNamespace<Watcher>>)[binding];
    if (namespace === undefined) throw new Error(`no binding ${binding}`);
    try {
      await call(() => namespace.get(namespace.idFromString(id)).notify(notice), {
        deadlines: this.#deadlines,
      });
    } catch (error) {
      // As in OTP, what is sent to a process that is not there is dropped.
      if (!isExit(error, "noproc")) throw error;
    }
  }

  #all(): Letter[] {
    return [...this.#ctx.storage.kv.list<Omit<Letter, "key">>({ prefix: NOTICE })].map(([key, letter]) => ({
      key,
      ...letter,
    }));
  }
}
