/** Monitors: who hears how a process ends, and the outbox that tells them, at least once. */

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
export interface Letter {
  readonly key: string;
  readonly to: Address;
  readonly notice: Notice;
}

type Kv = DurableObjectStorage["kv"];

const MONITOR = "monitor/";
const NOTICE = "notice/";
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

/**
 * Notices that have not been acknowledged, as rows, in the order in which they were posted. A notice is
 * removed when its watcher has acknowledged it, so one whose acknowledgement is lost is sent again.
 */
export class Outbox {
  readonly #kv: Kv;

  constructor(kv: Kv) {
    this.#kv = kv;
  }

  post(to: Address, notice: Notice): void {
    const [last] = [...this.#kv.list({ prefix: NOTICE, reverse: true, limit: 1 })];
    const number = last === undefined ? 1 : Number(last[0].slice(NOTICE.length)) + 1;
    this.#kv.put(NOTICE + String(number).padStart(DIGITS, "0"), { to, notice });
  }

  all(): Letter[] {
    return [...this.#kv.list<Omit<Letter, "key">>({ prefix: NOTICE })].map(([key, letter]) => ({
      key,
      ...letter,
    }));
  }

  remove({ key }: Pick<Letter, "key">): void {
    this.#kv.delete(key);
  }

  /** Takes back what one monitor has not heard yet: OTP's `demonitor` with `flush`. */
  flush(ref: string): Notice[] {
    const letters = this.all().filter(({ notice }) => notice.ref === ref);
    for (const letter of letters) this.remove(letter);
    return letters.map(({ notice }) => notice);
  }
}
