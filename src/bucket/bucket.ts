/** The Durable Object of a bucket: entries under keys, for one incarnation of one name. */

import type { Written } from "../contract/entries.ts";
import type { Env } from "../config/env.ts";
import { settingsOf, type Settings } from "../config/settings.ts";
import type { Entry, EntryInfo, ListQuery } from "../model/entry.ts";
import type { Idempotency, Replayable } from "../model/idempotency.ts";
import type { KeyRange } from "../model/key-range.ts";
import { KEEP_MS, type Lease } from "../model/large-value.ts";
import { areReads, type Operation, type Transaction } from "../model/operation.ts";
import type { Found } from "../model/outcome.ts";
import type { Restored, RestoredEntry } from "../model/restored.ts";
import type { Totals } from "../model/totals.ts";
import type { Answered } from "../otp/exit.ts";
import { failpoint } from "../otp/failpoint.ts";
import { GenServer } from "../otp/gen-server.ts";
import type { Migrations } from "../otp/migrations.ts";
import {
  callOf,
  type BucketCall,
  type BucketCalls,
  type GroupReply,
  type JsonText,
} from "../rpc/bucket-calls.ts";
import type { BucketArgs, BucketRpc, EntriesPage, ProbeReply } from "../rpc/bucket-rpc.ts";
import { transactionText } from "../schema/result-json.ts";
import type { Change } from "../model/change.ts";
import { Entries } from "../store/entries.ts";
import { Executor } from "../store/executor.ts";
import { REMEMBER_MS, Remembered } from "../store/idempotency.ts";
import { JsonRoom } from "../store/json-room.ts";
import { restore } from "../store/restore.ts";
import { transact } from "../store/transaction.ts";
import type { Answer } from "../text/command.ts";
import { allOrNone } from "./all-or-none.ts";
import { runBatch, runBatches } from "./batches.ts";
import { isRead, isRemembered, perform, performGroup, type Work } from "./calls.ts";
import { checkIncarnation, listText } from "./pages.ts";
import { Maintenance, type Info } from "./maintenance.ts";
import { BUCKET_MIGRATIONS } from "./migrations.ts";
import { askAfterMs, notBefore, report, reportAfterMs, reportMs, reportWiped } from "./report.ts";
import { Sockets } from "./sockets.ts";

/**
 * One bucket. It is alive while its storage holds its incarnation; after that every call returns `noproc`. A caller with
 * a stale id can therefore neither read old data nor write to the bucket that has the name now.
 *
 * Every change gets the bucket's next revision. All changes of one request are one transaction. The platform's output
 * gate holds the reply back until the transaction is on disk.
 */
export class Bucket extends GenServer<Env, BucketArgs, Info> implements BucketRpc {
  protected readonly settings: Settings = settingsOf(this.env);
  readonly #reportMs = reportMs(this.settings.changeLogAgeMs);
  readonly #entries = new Entries(this.ctx.storage, {
    clock: () => this.clock(),
    log: { limit: this.settings.changeLog, maxAgeMs: this.settings.changeLogAgeMs },
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
      batches: (batches, limit) => this.batches(batches, limit),
      transact: (transaction, idempotency) => this.transact(transaction, idempotency),
      list: (query) => this.list(query),
    },
    watch: {
      entries: this.#entries,
      clock: () => this.clock(),
      incarnation: () => this.args?.incarnation ?? "",
      logLimit: this.settings.changeLog,
      slowBy: (at) => this.#maintenance.by("slow watchers", at),
    },
    renew: (reason) => this.renew(reason),
  });
  readonly #maintenance = new Maintenance<Exclude<Info, "orphan">>(this.timers, () => this.clock());

  /** Runs the calls of a group in one transaction; a refused one does not affect the others. See calls.ts. */
  group(calls: readonly BucketCall[]): Answered<GroupReply> {
    const run = (work: Work): GroupReply => {
      if (globalThis.KV_FAILPOINTS) void failpoint(this.ctx, "group: begun, nothing done");
      const replies = performGroup(work, calls);
      if (globalThis.KV_FAILPOINTS) void failpoint(this.ctx, "group: done, not answered");
      return replies;
    };
    return this.handleCall(({ incarnation }) =>
      allOrNone(this.#entries, calls, () => this.#perform(incarnation, calls, run)),
    );
  }

  get(...args: Parameters<BucketCalls["get"]>): Answered<Found<Entry>> {
    return this.#single("get", args);
  }

  info(...args: Parameters<BucketCalls["info"]>): Answered<Found<EntryInfo>> {
    return this.#single("info", args);
  }

  put(...args: Parameters<BucketCalls["put"]>): Answered<Written> {
    return this.#single("put", args);
  }

  remove(...args: Parameters<BucketCalls["remove"]>): Answered<boolean> {
    return this.#single("remove", args);
  }

  getAndDelete(...args: Parameters<BucketCalls["getAndDelete"]>): Answered<Found<Entry>> {
    return this.#single("getAndDelete", args);
  }

  increment(...args: Parameters<BucketCalls["increment"]>): Answered<Replayable<JsonText>> {
    return this.#single("increment", args);
  }

  run(...args: Parameters<BucketCalls["run"]>): Answered<readonly Answer[]> {
    return this.#single("run", args);
  }

  /** Runs many operations in one transaction; a refused one does not affect the others. @returns JSON: `BatchResults` */
  batch(operations: readonly Operation[]): Answered<JsonText> {
    return this.#run(areReads(operations), ({ incarnation }) =>
      runBatch(this.#entries, incarnation, operations),
    );
  }

  /**
   * Runs batches in one transaction.
   * @returns the results of the first ones, until they have `limit` characters; of none if one threw, and so none was run
   */
  batches(batches: readonly (readonly Operation[])[], limit: number): Answered<readonly JsonText[]> {
    const how = batches.every(areReads) ? "read" : "write";
    return this.handleCall(({ incarnation }) =>
      allOrNone(this.#entries, batches, () =>
        this.#entries[how](() => runBatches(this.#entries, incarnation, batches, limit)),
      ),
    );
  }

  /** Runs a transaction, all or nothing. @returns the JSON text of `TransactionResults` */
  transact(transaction: Transaction, idempotency?: Idempotency): Answered<Replayable<JsonText>> {
    return this.#writeOnce(idempotency, (incarnation) => {
      const executor = new Executor(this.#entries, incarnation, new JsonRoom());
      return transactionText(incarnation, transact(this.#entries, executor, transaction));
    });
  }

  /** Restores entries of an export. With `stop` it ends at the first entry that can't be restored. */
  restore(entries: readonly RestoredEntry[], { stop }: { readonly stop: boolean }): Answered<Restored[]> {
    return this.#run(false, () => restore(this.#entries, entries, { clock: this.clock, stop }));
  }

  /** A page of entries, ordered by the bytes of their keys, ascending or descending. Refuses with `bucket_changed`. */
  entries(query: ListQuery): Answered<EntriesPage> {
    return this.handleCall(({ incarnation }) => {
      checkIncarnation(incarnation, query);
      return { incarnation, ...this.#entries.list(query) };
    });
  }

  /** Like {@link entries}. @returns the JSON text of a `KeysPage` */
  list(query: ListQuery): Answered<JsonText> {
    return this.handleCall(({ incarnation }) => {
      checkIncarnation(incarnation, query);
      return listText(this.#entries, incarnation, query);
    });
  }

  /** Removes the first keys of a range, at most 500. @returns how many, and whether there are more */
  removeRange(range: KeyRange): Answered<{ readonly removed: number; readonly more: boolean }> {
    return this.#run(false, () => this.#entries.removeRange(range));
  }

  /** Stores chunk `n` of a large value that is being uploaded. Safe to repeat. */
  append(large: string, n: number, bytes: ArrayBuffer): Answered<null> {
    return this.handleCall(() => {
      this.#entries.write(() => this.#entries.large.append(large, n, bytes, this.clock()));
      this.#maintenance.by("large values", this.clock() + KEEP_MS);
      return null;
    });
  }

  /** Cancels an upload and removes its chunks. */
  abandon(large: string): Answered<null> {
    return this.handleCall(() => {
      this.#entries.write(() => this.#entries.large.drop(large));
      return null;
    });
  }

  /** Reads chunk `n` of a large value; null if it no longer exists. */
  chunk(large: string, n: number, lease: Lease): Answered<ArrayBuffer | null> {
    return this.handleCall(() => this.#entries.large.chunk(large, n, lease, this.clock()) ?? null);
  }

  /** Renews the lease of an upload; with `lease`, the lease of a reader. */
  renewLease(large: string, lease?: string): Answered<null> {
    return this.handleCall(() => {
      this.#entries.write(() => this.#entries.large.renewLease(large, this.clock(), lease));
      return null;
    });
  }

  /** Releases the lease of a reader that stopped before the end of the value. */
  releaseLease(lease: string): Answered<null> {
    return this.handleCall(() => {
      this.#entries.large.releaseLease(lease);
      return null;
    });
  }

  /** The number of entries, their bytes on disk, and the incarnation. */
  totals(): Answered<Totals & { readonly incarnation: string }> {
    return this.handleCall(({ incarnation }) => ({
      ...this.#withRemembered(this.#entries.log.totals()),
      incarnation,
    }));
  }

  /**
   * The registry's health check. It reads the storage, not the memory. A bucket that has ended by itself returns the
   * reason, so that the registry knows it even if the bucket's own notice is late.
   */
  probe(): Answered<ProbeReply> {
    this.wake();
    const { lastWords } = this;
    if (lastWords !== undefined) return { reply: { ended: lastWords } };
    return this.handleProbe(() => this.#withRemembered(this.#entries.log.readTotals()));
  }

  /**
   * WebSocket upgrades: `/connect` for the text protocol, `/subscribe` for a feed of changes as lines of the text
   * protocol, `/session` for requests in JSON, `/watch` for the change log.
   */
  override async fetch(request: Request): Promise<Response> {
    const answer = await this.handleCall(({ name }) => this.#sockets.accept(new URL(request.url), name));
    return "reply" in answer ? answer.reply : Response.json(answer, { status: 409 });
  }

  /** The server of this object is stopping: closes all WebSockets. The bucket itself lives on. */
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

  protected override dropCaches(): void {
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

  protected override handleInfo(message: Info, args: BucketArgs): void | Promise<void> {
    switch (message) {
      case "orphan":
        return this.#report(args);
      case "expiry":
        // Later, in a transaction of its own: the end of the write tells the watchers, and must not be undone.
        return Promise.resolve().then(() =>
          this.#entries.write(() => {
            this.#entries.expire();
            this.#maintenance.again("expiry", this.#entries.nextExpiry());
          }),
        );
      case "log": {
        this.#sockets.announce();
        const again = notBefore(this.clock() + this.#reportMs, this.#entries.log.trim(this.clock()));
        this.#maintenance.again("log", again);
        return this.#report(args).catch((error: unknown) => {
          console.error("no report to the registry", error);
          this.#maintenance.by("log", this.clock() + this.#reportMs);
        });
      }
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

  /** Reports to the registry, and ends if it does not know the bucket. One that was known is known until it ends. */
  async #report(args: BucketArgs): Promise<void> {
    const { life, monitors } = this;
    if (monitors[0] === undefined || life === undefined) return;
    const totals = this.#withRemembered(this.#entries.log.totals());
    // One that is given up has a number that no row has: only a probe finds out whether it works again.
    const restarts = life.givenUp === undefined ? life.restarts : -1;
    const isKnown = await report(this.env, monitors[0], args, { ...totals, restarts });
    const asks = this.timers.due("orphan") !== undefined;
    if (isKnown && asks) this.timers.cancel("orphan");
    if (!isKnown && this.settings.orphanPeriodMs > 0) {
      await this.vanish();
      await reportWiped(this.env, monitors[0], this.ctx.id);
    } else if (!isKnown && asks) this.#askLater();
  }

  #askLater(): void {
    this.timers.sendAfter("orphan", "orphan", askAfterMs(this.settings.orphanPeriodMs));
  }

  #single<M extends keyof BucketCalls>(
    method: M,
    args: Parameters<BucketCalls[M]>,
  ): Answered<ReturnType<BucketCalls[M]>> {
    return this.handleCall(({ incarnation }) =>
      this.#perform(incarnation, [callOf(method, args)], (work) => perform(work, method, args)),
    );
  }

  #perform<T>(incarnation: string, calls: readonly BucketCall[], run: (work: Work) => T): T {
    const executor = new Executor(this.#entries, incarnation);
    const work = { executor, incarnation, remembered: this.#remembered };
    if (calls.every(isRead)) return this.#entries.read(() => run(work));
    return this.#remembering(calls.some(isRemembered), () => run(work));
  }

  /** Runs what only reads as it is, and anything else in a transaction. */
  #run<T>(onlyReads: boolean, work: (args: BucketArgs) => T): Answered<T> {
    return this.handleCall((args) =>
      onlyReads ? this.#entries.read(() => work(args)) : this.#entries.write(() => work(args)),
    );
  }

  #writeOnce(
    idempotency: Idempotency | undefined,
    change: (incarnation: string) => JsonText,
  ): Answered<Replayable<JsonText>> {
    return this.handleCall(({ incarnation }) =>
      this.#remembering(idempotency !== undefined, () =>
        idempotency === undefined
          ? { result: change(incarnation), replayed: false }
          : this.#remembered.once(idempotency, () => change(incarnation)),
      ),
    );
  }

  /** Runs a change that may remember its result. */
  #remembering<T>(remembers: boolean, change: () => T): T {
    // Before the transaction, not in it: a rollback would remove the timer, while Maintenance still takes it as set.
    if (remembers) this.#maintenance.by("remembered", this.clock() + REMEMBER_MS);
    try {
      return this.#entries.write(change);
    } catch (error) {
      this.#remembered.reset();
      throw error;
    }
  }

  /** Adds the bytes of the remembered results, which are on disk too. */
  #withRemembered(totals: Totals): Totals {
    return { ...totals, bytes: totals.bytes + this.#remembered.bytes };
  }

  /** Publishes changes and sets timers. Runs in the turn of the write, after its transaction. */
  #changed(changes: readonly Change[]): void {
    this.#sockets.publish(changes);
    if (!this.#maintenance.isSet("log"))
      this.#maintenance.by("log", this.clock() + reportAfterMs(this.settings.changeLogAgeMs));
    if (this.#entries.large.takeReleased()) this.#maintenance.by("large values", this.clock() + KEEP_MS);
    for (const { expires } of changes) if (expires !== null) this.#maintenance.by("expiry", expires);
  }
}
