/** The bucket's object: values under keys, one incarnation of one name. */

import type { Written } from "../contract/entries.ts";
import type { Env } from "../config/env.ts";
import { settingsOf } from "../config/settings.ts";
import { etag, type Conditions } from "../model/conditions.ts";
import type { Entry, EntryInfo, Increment, ListQuery } from "../model/entry.ts";
import { bucketChanged } from "../model/errors.ts";
import type { Idempotency, Once } from "../model/idempotency.ts";
import type { KeyRange } from "../model/key-range.ts";
import { KEEP_MS, type LargeValue, type Lease } from "../model/large-value.ts";
import type { Operation, Transaction } from "../model/operation.ts";
import type { Found } from "../model/outcome.ts";
import type { Restored, RestoredEntry } from "../model/restored.ts";
import type { Totals } from "../model/totals.ts";
import type { Value } from "../model/value.ts";
import { call } from "../otp/call.ts";
import type { Answered } from "../otp/exit.ts";
import { GenServer } from "../otp/gen-server.ts";
import type { Migrations } from "../otp/migrations.ts";
import type {
  BucketArgs,
  BucketRpc,
  EntriesPage,
  IncrementOptions,
  JsonText,
  ProbeReply,
  PutOptions,
} from "../rpc/bucket-rpc.ts";
import { pageText } from "../schema/entry-json.ts";
import { batchText, incrementedJson, transactionText } from "../schema/result-json.ts";
import type { Change } from "../store/change-log.ts";
import { Entries } from "../store/entries.ts";
import { Executor } from "../store/executor.ts";
import { REMEMBER_MS, Remembered } from "../store/idempotency.ts";
import { JsonRoom } from "../store/json-room.ts";
import { restore } from "../store/restore.ts";
import { transact } from "../store/transaction.ts";
import type { Answer, BucketCommand } from "../text/command.ts";
import { Maintenance } from "./maintenance.ts";
import { BUCKET_MIGRATIONS } from "./migrations.ts";
import { Sockets } from "./sockets.ts";
import { runCommands } from "./text-commands.ts";

/**
 * Timers: ask the registry whether it knows this bucket; remove entries whose time is over, changes that are too
 * old, large values that nobody owns, results that nobody will ask for again; drop watchers that do not read.
 */
type Info = "orphan" | "expiry" | "log" | "large values" | "remembered" | "slow watchers";

/** Entries that are removed in one turn: others wait for it to end. */
const REMOVE_AT_ONCE = 500;

/**
 * One bucket. It lives as long as its own storage carries its incarnation, and answers `noproc` otherwise:
 * whoever holds a stale id can neither read what was there nor write to what has taken the name.
 *
 * Every change gets the bucket's next revision. Changes that were asked for together are one transaction,
 * and their acknowledgement is held back by the platform's output gate until they are on disk.
 */
export class Bucket extends GenServer<Env, BucketArgs, Info> implements BucketRpc {
  readonly #settings = settingsOf(this.env);
  readonly #entries = new Entries(this.ctx.storage, {
    clock: () => this.clock(),
    log: { limit: this.#settings.changeLog, maxAgeMs: this.#settings.changeLogAgeMs },
    changed: (changes) => this.#changed(changes),
  });
  readonly #remembered = new Remembered(this.ctx.storage.sql, () => this.clock());
  readonly #sockets = new Sockets(this.ctx, this.env, {
    text: {
      lives: () => this.liveliness,
      run: (commands) => this.run(commands),
      exit: (reason) => this.exit(reason),
    },
    session: {
      batch: (operations) => this.batch(operations),
      transact: (transaction, idempotency) => this.transact(transaction, idempotency),
      list: (query) => this.list(query),
    },
    watch: {
      entries: this.#entries,
      clock: () => this.clock(),
      incarnation: () => this.args?.incarnation ?? "",
      logLimit: this.#settings.changeLog,
      slowBy: (at) => this.#maintenance.by("slow watchers", at),
    },
    renew: (reason) => this.renew(reason),
  });
  readonly #maintenance = new Maintenance<Exclude<Info, "orphan">>(this.timers, () => this.clock());

  /** An entry. The value of a large one is read with {@link chunk}. Refused with `precondition_failed`. */
  get(key: string, conditions: Conditions): Answered<Found<Entry>> {
    return this.handleCall(({ incarnation }) =>
      this.#executor(incarnation).read(conditions, (entries) => entries.get(key)),
    );
  }

  /** As {@link get}, without the value. */
  info(key: string, conditions: Conditions): Answered<Found<EntryInfo>> {
    return this.handleCall(({ incarnation }) =>
      this.#executor(incarnation).read(conditions, (entries) => entries.info(key)),
    );
  }

  /** Stores a value; a large one that was uploaded with {@link append}. Refused with `precondition_failed`. */
  put(
    key: string,
    value: Value | LargeValue,
    { conditions, ...properties }: PutOptions = {},
  ): Answered<Written> {
    return this.#write(({ incarnation }) => {
      const step = { op: "put", key, value, properties, conditions } as const;
      const { created, revision } = this.#executor(incarnation).perform<"put">(step);
      return { created, revision, etag: etag(incarnation, revision) };
    });
  }

  /** @returns whether the key was there. Refused with `precondition_failed`. */
  remove(key: string, conditions: Conditions): Answered<boolean> {
    return this.#write(
      ({ incarnation }) =>
        this.#executor(incarnation).perform<"delete">({ op: "delete", key, conditions }).deleted,
    );
  }

  /** Adds to a counter. @returns an `Incremented` */
  increment(
    key: string,
    increment: Increment,
    { conditions, idempotency }: IncrementOptions = {},
  ): Answered<Once<JsonText>> {
    return this.#writeOnce(idempotency, (incarnation) => {
      const step = { op: "increment", key, increment, conditions } as const;
      const outcome = this.#executor(incarnation).perform<"increment">(step);
      return JSON.stringify(incrementedJson(incarnation, outcome));
    });
  }

  /** Many operations, each by itself, in one transaction. @returns `BatchResults` */
  batch(operations: readonly Operation[]): Answered<JsonText> {
    return this.#write(({ incarnation }) => {
      const executor = this.#executor(incarnation, new JsonRoom());
      const outcomes = operations.map((operation) => executor.attempt(operation));
      return batchText(incarnation, operations, outcomes);
    });
  }

  /** All or nothing. @returns `TransactionResults` */
  transact(transaction: Transaction, idempotency?: Idempotency): Answered<Once<JsonText>> {
    return this.#writeOnce(idempotency, (incarnation) => {
      const executor = this.#executor(incarnation, new JsonRoom());
      return transactionText(incarnation, transact(this.#entries, executor, transaction));
    });
  }

  /** Brings entries of an export back, up to the first that can't be, if `stop` is set. */
  restore(entries: readonly RestoredEntry[], { stop }: { readonly stop: boolean }): Answered<Restored[]> {
    return this.#write(() => restore(this.#entries, entries, { clock: this.clock, stop }));
  }

  /** Entries in the order of their keys' bytes, or the other way round. */
  entries(query: ListQuery): Answered<EntriesPage> {
    return this.handleCall(({ incarnation }) => {
      if ((query.incarnation ?? incarnation) !== incarnation) throw bucketChanged();
      return { incarnation, ...this.#entries.list(query) };
    });
  }

  /** As {@link entries}. @returns a `KeysPage` */
  list(query: ListQuery): Answered<JsonText> {
    return this.handleCall(({ incarnation }) => {
      if ((query.incarnation ?? incarnation) !== incarnation) throw bucketChanged();
      const { entries, more } = this.#entries.list(query);
      return pageText(incarnation, entries, more);
    });
  }

  /** Removes the first keys of a range. @returns how many, and whether there are more. */
  removeRange(range: KeyRange): Answered<{ readonly removed: number; readonly more: boolean }> {
    return this.#write(() => this.#entries.removeRange(range, REMOVE_AT_ONCE));
  }

  /** Keeps the next chunk of a large value that is being uploaded. To send one again is safe. */
  append(large: string, n: number, bytes: ArrayBuffer): Answered<null> {
    return this.handleCall(() => {
      this.#entries.write(() => this.#entries.large.append(large, n, bytes, this.clock()));
      this.#maintenance.by("large values", this.clock() + KEEP_MS);
      return null;
    });
  }

  /** Gives an upload up. */
  abandon(large: string): Answered<null> {
    return this.handleCall(() => {
      this.#entries.write(() => this.#entries.large.drop(large));
      return null;
    });
  }

  /** One chunk of a large value; null if it is not there any more. */
  chunk(large: string, n: number, lease: Lease): Answered<ArrayBuffer | null> {
    return this.handleCall(() => this.#entries.large.chunk(large, n, lease, this.clock()) ?? null);
  }

  /** A large value is still being uploaded; or, with a lease, read. */
  renewLease(large: string, lease?: string): Answered<null> {
    return this.handleCall(() => {
      this.#entries.write(() => this.#entries.large.renewLease(large, this.clock(), lease));
      return null;
    });
  }

  /** A reader of a large value has stopped before its end. */
  releaseLease(lease: string): Answered<null> {
    return this.handleCall(() => {
      this.#entries.large.releaseLease(lease);
      return null;
    });
  }

  totals(): Answered<Totals & { readonly incarnation: string }> {
    return this.handleCall(({ incarnation }) => ({
      ...this.#withRemembered(this.#entries.log.totals()),
      incarnation,
    }));
  }

  /**
   * Whether the bucket is well, in its own words: the registry asks. Reads its storage, not its memory. One
   * that has ended by itself says why, so that the reason is known even if its notice is late.
   */
  probe(): Answered<ProbeReply> {
    this.wake();
    const { lastWords } = this;
    if (lastWords !== undefined) return { reply: { ended: lastWords } };
    return this.handleProbe(() => this.#withRemembered(this.#entries.log.readTotals()));
  }

  /**
   * Carries out commands of the text protocol, in one transaction. Answers the first of them, one at least,
   * as far as their answers stay within a few megabytes; the others have not been carried out.
   */
  run(commands: readonly BucketCommand[]): Answered<readonly Answer[]> {
    return this.#write(({ incarnation }) => runCommands(this.#executor(incarnation), commands));
  }

  /**
   * WebSocket upgrades: `/connect` for a connection of the text protocol, `/subscribe` for a feed of changes in its
   * words, `/session` for requests in JSON, `/watch` for the change log.
   */
  override async fetch(request: Request): Promise<Response> {
    const answer = await this.handleCall(({ name }) => this.#sockets.accept(new URL(request.url), name));
    return "reply" in answer ? answer.reply : Response.json(answer, { status: 409 });
  }

  /** The server that this object is on is about to end; nothing else of the bucket is. */
  serverStopping(): null {
    this.#sockets.serverStopping();
    return null;
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    return this.#sockets.receive(socket, message);
  }

  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    this.#sockets.closed(socket, code, reason);
  }

  override webSocketError(socket: WebSocket): Promise<void> {
    return this.#sockets.broken(socket);
  }

  protected override get migrations(): Migrations {
    return BUCKET_MIGRATIONS;
  }

  protected override init(): void {
    this.#entries.createTables();
    this.#remembered.createTable();
    this.#askLater();
  }

  protected override wiped(): void {
    this.#entries.reset();
    this.#remembered.reset();
    this.#maintenance.reset();
  }

  protected override ended(reason: string): void {
    this.#sockets.ended(reason);
  }

  protected override resetting(reason: string): Promise<void> {
    return this.#sockets.resetting(reason);
  }

  protected override async handleInfo(message: Info, args: BucketArgs): Promise<void> {
    switch (message) {
      case "orphan":
        return this.#askRegistry(args);
      case "expiry":
        this.#entries.write(() => this.#entries.expire(REMOVE_AT_ONCE));
        return this.#maintenance.again("expiry", this.#entries.nextExpiry());
      case "log":
        this.#sockets.announce();
        return this.#maintenance.again("log", this.#entries.log.trim(this.clock()));
      case "large values": {
        const left = this.#entries.write(() => this.#entries.large.sweep(this.clock()));
        return this.#maintenance.again("large values", left ? this.clock() + KEEP_MS : undefined);
      }
      case "remembered":
        return this.#maintenance.again("remembered", this.#remembered.sweep(this.clock()));
      case "slow watchers":
        return this.#maintenance.again("slow watchers", this.#sockets.dropSlow());
    }
  }

  /**
   * The orphan check. An object whose start and stop were both lost on their way is named by nobody, and no
   * sweep will ever find it: it has to ask. Only a clear no ends it.
   */
  async #askRegistry({ name, incarnation }: BucketArgs): Promise<void> {
    const [monitor] = this.monitors;
    if (monitor !== undefined) {
      const { REGISTRY } = this.env;
      const registry = REGISTRY.get(REGISTRY.idFromString(monitor.watcher.id));
      if (!(await call(() => registry.knows({ name, incarnation })))) return this.vanish();
    }
    this.#askLater();
  }

  #askLater(): void {
    const { orphanPeriodMs } = this.#settings;
    // Half a period to one and a half: buckets made together do not ask together.
    if (orphanPeriodMs > 0) this.timers.sendAfter("orphan", "orphan", orphanPeriodMs * (0.5 + Math.random()));
  }

  #executor(incarnation: string, room?: JsonRoom): Executor {
    return new Executor(this.#entries, incarnation, room);
  }

  #write<T>(change: (args: BucketArgs) => T): Answered<T> {
    return this.handleCall((args) => this.#entries.write(() => change(args)));
  }

  #writeOnce(
    idempotency: Idempotency | undefined,
    change: (incarnation: string) => JsonText,
  ): Answered<Once<JsonText>> {
    return this.handleCall(({ incarnation }) => {
      // Outside of the transaction: undone with it, the timer would be missing, and still be held to be set.
      if (idempotency !== undefined) this.#maintenance.by("remembered", this.clock() + REMEMBER_MS);
      try {
        return this.#entries.write(() =>
          idempotency === undefined
            ? { result: change(incarnation), replayed: false }
            : this.#remembered.once(idempotency, () => change(incarnation)),
        );
      } catch (error) {
        this.#remembered.reset();
        throw error;
      }
    });
  }

  /** What is remembered for those who send a request again is kept on disk too. */
  #withRemembered(totals: Totals): Totals {
    return { ...totals, bytes: totals.bytes + this.#remembered.bytes };
  }

  /** Runs in the turn of the write, behind its transaction. */
  #changed(changes: readonly Change[]): void {
    this.#sockets.publish(changes);
    if (!this.#maintenance.isSet("log"))
      this.#maintenance.by("log", this.clock() + this.#settings.changeLogAgeMs);
    if (this.#entries.large.takeReleased()) this.#maintenance.by("large values", this.clock() + KEEP_MS);
    for (const { expires } of changes) if (expires !== null) this.#maintenance.by("expiry", expires);
  }
}
