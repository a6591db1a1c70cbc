/**
 * Monitors, and the outbox that delivers their notices at least once.
 *
 * A monitor is a row of the process that is watched: the ref and the address of the watcher. When the process ends or is
 * restarted, one transaction removes what has to go, and writes a notice for each monitor into the outbox, with the timer
 * that sends it. Then the notices are sent in their order, and each is removed when its watcher has acknowledged it. If a
 * delivery fails, or the object ends in the middle of one, the timer sends again what is left: a watcher gets every notice
 * at least once, and drops those that it had before, by their ref (`down`) or count (`restarted`). A watcher that is not
 * there any more gets nothing, as in OTP.
 */

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

/** One process that watches another. `ref` is unique among all monitors. */
export interface Monitor {
  readonly ref: string;
  readonly watcher: Address;
}

/**
 * What a watcher is told.
 *
 * - `down`: the process has ended, and its storage is wiped. OTP's `{:DOWN, ref, …, reason}`.
 * - `restarted`: it ended and lives on with its durable state, as a supervisor's permanent child. `restarts` counts all
 *   of them; `givenUp`: there were too many in too short a time.
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

/** A notice that is not acknowledged. */
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

/** The monitors on one process. */
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

/** What is called of a watcher. */
interface Watcher extends Rpc.DurableObjectBranded {
  notify(notice: Notice): Promise<Reply<null>>;
}

/** The notices of one process that are not acknowledged, in the order in which they were posted. */
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

  /** Adds a notice. Call it in the transaction of the event that it reports. */
  post(to: Address, notice: Notice): void {
    const { kv } = this.#ctx.storage;
    const [last] = [...kv.list({ prefix: NOTICE, reverse: true, limit: 1 })];
    const number = last === undefined ? 1 : Number(last[0].slice(NOTICE.length)) + 1;
    kv.put(NOTICE + String(number).padStart(DIGITS, "0"), { to, notice });
  }

  /**
   * Removes the notices of one monitor (OTP's `demonitor` with `flush`).
   * @returns whether there were any
   */
  flush(ref: string): boolean {
    const letters = this.#all().filter(({ notice }) => notice.ref === ref);
    for (const { key } of letters) this.#ctx.storage.kv.delete(key);
    return letters.length > 0;
  }

  /**
   * Sends all notices in their order, each when the one before it is acknowledged.
   * @throws what the first that is not acknowledged throws; the others have not been sent
   */
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
    if (namespace === undefined) throw new Error(`There is no binding ${binding} to send a notice to.`);
    try {
      await call(() => namespace.get(namespace.idFromString(id)).notify(notice), {
        deadlines: this.#deadlines,
      });
    } catch (error) {
      // As in OTP, a message to a process that does not live is dropped.
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
