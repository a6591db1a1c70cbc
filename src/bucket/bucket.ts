/** The bucket's object: values under keys, one incarnation of one name. */

import type { Answer, BucketCommand } from "../text/command.ts";
import { breath, MESSAGE_UNITS } from "../lib/breath.ts";
import { answerClose } from "../lib/close-codes.ts";
import { connections, OUTSIDE } from "../lib/connections.ts";
import type { Env } from "../config/env.ts";
import { keptTexts } from "../model/kept-json.ts";
import { call } from "../otp/call.ts";
import type { Answered } from "../otp/exit.ts";
import { GenServer } from "../otp/gen-server.ts";
import { settingsOf } from "../config/settings.ts";
import type { Totals } from "../model/totals.ts";
import type { Value } from "../model/value.ts";
import type { Change } from "../store/change-log.ts";
import { execute } from "./commands.ts";
import { allows, etag, matchHolds, noneMatchHolds, type Conditions } from "../model/conditions.ts";
import { Entries } from "../store/entries.ts";
import type { Entry, EntryInfo, Increment, ListQuery, Properties } from "../model/entry.ts";
import { bucketChanged, pageText } from "../schema/entry-json.ts";
import { REMEMBER_MS, Remembered, type Idempotency } from "../store/idempotency.ts";
import type { KeyRange } from "../model/key-range.ts";
import { JsonSockets, SESSION } from "./sessions.ts";
import { KEEP_MS, type LargeValue } from "../store/large-values.ts";
import { Operations, preconditionFailed, type Operation } from "../store/executor.ts";
import type { Reading } from "../store/leases.ts";
import { restore, type Restored, type RestoredEntry } from "../store/restore.ts";
import { Sockets } from "./text-sockets.ts";
import { transact, type Transaction } from "../store/transaction.ts";
import { Upkeep } from "./maintenance.ts";
import { WATCH, Watchers, type WatchRequest } from "./watchers.ts";

export interface BucketArgs {
  readonly name: string;
  readonly incarnation: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** What a bucket answers to a probe. `ended`: it does not live any more, and that is why. */
export type ProbeReply = Totals | { readonly ended: string };

/**
 * Timers: ask the registry whether it knows this bucket; remove entries whose time is over, changes that are too
 * old, large values that nobody owns, results that nobody will ask for again; drop watchers that do not read.
 */
type Info = "orphan" | "expiry" | "log" | "large values" | "remembered" | "slow watchers";

/** What a conditional read found. */
export type Found<T> =
  | { readonly outcome: "found"; readonly entry: T; readonly etag: string }
  | { readonly outcome: "not_modified"; readonly etag: string }
  | { readonly outcome: "precondition_failed" }
  | { readonly outcome: "absent" };

/** What a conditional write did. */
export type Written =
  | {
      readonly outcome: "stored";
      readonly created: boolean;
      readonly revision: number;
      readonly etag: string;
    }
  | { readonly outcome: "precondition_failed" };

export type Removed = { readonly outcome: "removed" | "absent" | "precondition_failed" };

export interface PutOptions extends Properties {
  readonly conditions?: Conditions;
}

export interface IncrementOptions {
  readonly conditions?: Conditions;
  readonly idempotency?: Idempotency | undefined;
}

/** JSON, written where the data is: it is passed on as it is, and read by whoever asked. */
export type JsonText = string;

/** A result that may have been given before, to the same idempotency key. */
export interface Once {
  readonly result: JsonText;
  readonly replayed: boolean;
}

/** Entries that are removed in one turn: others wait for it to end. */
const REMOVE_AT_ONCE = 500;
const UNCONDITIONAL: Conditions = {};

/**
 * One bucket. It lives as long as its own storage carries its incarnation, and answers `noproc` otherwise:
 * whoever holds a stale id can neither read what was there nor write to what has taken the name.
 *
 * Every change gets the bucket's next revision. Changes that were asked for together are one transaction,
 * and their acknowledgement is held back by the platform's output gate until they are on disk.
 */
export class Bucket extends GenServer<Env, BucketArgs, Info> {
  readonly #settings = settingsOf(this.env);
  readonly #entries = new Entries(this.ctx.storage, {
    clock: () => this.clock(),
    log: { limit: this.#settings.changeLog, maxAgeMs: this.#settings.changeLogAgeMs },
    changed: (changes) => this.#changed(changes),
  });
  readonly #remembered = new Remembered(this.ctx.storage.sql, () => this.clock());
  readonly #sockets = new Sockets(this.ctx, this.env, {
    lives: () => this.liveliness,
    run: (commands) => this.run(commands),
    exit: (reason) => this.exit(reason),
  });
  readonly #sessions = new JsonSockets(this.ctx, {
    batch: (operations) => this.batch(operations),
    transact: (transaction, idempotency) => this.transact(transaction, idempotency),
    list: (query) => this.list(query),
  });
  readonly #watchers = new Watchers(this.ctx, {
    entries: this.#entries,
    clock: () => this.clock(),
    incarnation: () => this.args?.incarnation ?? "",
    logLimit: this.#settings.changeLog,
    slowBy: (at) => this.#upkeep.by("slow watchers", at),
  });
  readonly #upkeep = new Upkeep<Exclude<Info, "orphan">>(this.timers, () => this.clock());

  readonly #gone = new WeakSet<WebSocket>();

  constructor(...args: ConstructorParameters<typeof GenServer<Env, BucketArgs, Info>>) {
    super(...args);
    connections.wake(this.ctx.id.toString(), this.ctx.getWebSockets(OUTSIDE).length);
    if (this.args === undefined) return;
    this.ctx.storage.transactionSync(() => {
      if (this.#entries.upgrade()) this.#remembered.createTable();
    });
  }

  /** An entry. The value of a large one is read with {@link chunk}. */
  get(key: string, conditions: Conditions): Answered<Found<Entry>> {
    return this.#read(conditions, () => this.#entries.get(key));
  }

  /** As {@link get}, without the value. */
  info(key: string, conditions: Conditions): Answered<Found<EntryInfo>> {
    return this.#read(conditions, () => this.#entries.info(key));
  }

  /** Stores a value; a large one that was uploaded with {@link append}. */
  put(
    key: string,
    value: Value | LargeValue,
    { conditions = UNCONDITIONAL, ...properties }: PutOptions = {},
  ): Answered<Written> {
    return this.#write(({ incarnation }): Written => {
      if (!allows(this.#entries, key, conditions, incarnation)) return { outcome: "precondition_failed" };
      const { created, revision } = this.#entries.put(key, value, properties);
      return { outcome: "stored", created, revision, etag: etag(incarnation, revision) };
    });
  }

  remove(key: string, conditions: Conditions): Answered<Removed> {
    return this.#write(({ incarnation }): Removed => {
      if (!allows(this.#entries, key, conditions, incarnation)) return { outcome: "precondition_failed" };
      return { outcome: this.#entries.remove(key) ? "removed" : "absent" };
    });
  }

  /** Adds to a counter. @returns what {@link Operations.increment} does */
  increment(
    key: string,
    increment: Increment,
    { conditions = UNCONDITIONAL, idempotency }: IncrementOptions = {},
  ): Answered<Once> {
    return this.#writeOnce(idempotency, (incarnation) => {
      if (!allows(this.#entries, key, conditions, incarnation)) throw preconditionFailed();
      return JSON.stringify(new Operations(this.#entries, incarnation).increment(key, increment));
    });
  }

  /** Many operations, each by itself, in one transaction. @returns a BatchResult */
  batch(operations: readonly Operation[]): Answered<JsonText> {
    return this.#write(({ incarnation }) => {
      const results = new Operations(this.#entries, incarnation).batch(operations);
      return `{"results":${keptTexts(results)}}`;
    });
  }

  /** All or nothing. @returns what {@link transact} does */
  transact(transaction: Transaction, idempotency?: Idempotency): Answered<Once> {
    return this.#writeOnce(idempotency, (incarnation) => {
      const { succeeded, results } = transact(this.#entries, incarnation, transaction);
      return `{"succeeded":${succeeded},"results":${keptTexts(results)}}`;
    });
  }

  /** Brings entries of an export back, up to the first that can't be, if `stop` is set. */
  restore(entries: readonly RestoredEntry[], { stop }: { readonly stop: boolean }): Answered<Restored[]> {
    return this.#write(() => restore(this.#entries, entries, { clock: this.clock, stop }));
  }

  /** Entries in the order of their keys' bytes, or the other way round. @returns a {@link KeysPage} */
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
      this.#upkeep.by("large values", this.clock() + KEEP_MS);
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
  chunk(large: string, n: number, reading: Reading): Answered<ArrayBuffer | null> {
    return this.handleCall(() => this.#entries.large.chunk(large, n, reading, this.clock()) ?? null);
  }

  /** Somebody is still sending a large value, or reading it. */
  hold(large: string, reader?: string): Answered<null> {
    return this.handleCall(() => {
      this.#entries.write(() => this.#entries.large.hold(large, this.clock(), reader));
      return null;
    });
  }

  /** A reader of a large value has stopped before its end. */
  letGo(reader: string): Answered<null> {
    return this.handleCall(() => {
      this.#entries.large.letGo(reader);
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
    return this.#write(() => execute(this.#entries, commands));
  }

  /**
   * WebSocket upgrades: `/connect` for a connection of the text protocol, `/subscribe` for a feed of changes in its
   * words, `/session` for requests in JSON, `/watch` for the change log.
   */
  override async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const answer = await this.handleCall(({ name }) => {
      switch (pathname) {
        case "/watch":
          return this.#watchers.accept(JSON.parse(searchParams.get("request") ?? "") as WatchRequest);
        case "/session":
          return this.#sessions.accept();
        default:
          return this.#sockets.accept(pathname === "/subscribe" ? "feed" : "session", name);
      }
    });
    if (!("reply" in answer)) return Response.json(answer, { status: 409 });
    // A feed for a stream, or for a connection, is the Worker's, which has a place itself: only the others count.
    connections.hold(this.ctx.id.toString(), this.ctx.getWebSockets(OUTSIDE).length);
    return answer.reply;
  }

  /** The server that this object is on is about to end; nothing else of the bucket is. */
  serverStopping(): null {
    this.#watchers.serverStopping();
    this.#sessions.closeAll("SERVER_STOPPING");
    this.#sockets.serverStopping();
    return null;
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    // The engine goes on to the next message as soon as this one is begun, and to others' when there is none. A flood is
    // only held back where the object takes nothing at all for a moment, and so it does: also on a socket that has been
    // closed for it, on which it still comes.
    if (breath.isDue(MESSAGE_UNITS)) await this.ctx.blockConcurrencyWhile(() => breath.pause());
    if (socket.readyState !== WebSocket.OPEN) return;
    const tags = this.ctx.getTags(socket);
    if (tags.includes(WATCH)) this.#watchers.heard(socket);
    else if (tags.includes(SESSION)) await this.#sessions.receive(socket, message);
    else await this.#sockets.receive(socket, message);
  }

  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    this.#forget(socket);
    answerClose(socket, code, reason);
  }

  /** Frames that are none, or a connection that broke. In the first case the engine keeps the connection. */
  override async webSocketError(socket: WebSocket): Promise<void> {
    this.#forget(socket, "broken");
    const id = this.ctx.id.toString();
    if (!connections.isClogged(id)) return;
    await this.renew("connections that broke");
    // Nothing is left of any of them, although the object may not be woken again for long.
    connections.wake(id, 0);
  }

  protected override init(): void {
    this.#entries.createTables();
    this.#remembered.createTable();
    this.#askLater();
  }

  protected override wiped(): void {
    this.#entries.reset();
    this.#remembered.reset();
    this.#upkeep.reset();
  }

  protected override ended(reason: string): void {
    this.#watchers.closeAll("DOWN", reason);
    this.#sessions.closeAll("DOWN");
    this.#sockets.ended(reason);
  }

  protected override resetting(reason: string): Promise<void> {
    this.#watchers.closeAll("RESTARTED", reason);
    this.#sessions.closeAll("RESTARTED");
    return this.#sockets.resetting(reason);
  }

  protected override async handleInfo(message: Info, args: BucketArgs): Promise<void> {
    switch (message) {
      case "orphan":
        return this.#askRegistry(args);
      case "expiry":
        this.#entries.write(() => this.#entries.expire(REMOVE_AT_ONCE));
        return this.#upkeep.again("expiry", this.#entries.nextExpiry());
      case "log":
        this.#watchers.announce();
        return this.#upkeep.again("log", this.#entries.log.trim(this.clock()));
      case "large values": {
        const left = this.#entries.write(() => this.#entries.large.sweep(this.clock()));
        return this.#upkeep.again("large values", left ? this.clock() + KEEP_MS : undefined);
      }
      case "remembered":
        return this.#upkeep.again("remembered", this.#remembered.sweep(this.clock()));
      case "slow watchers":
        return this.#upkeep.again("slow watchers", this.#watchers.dropSlow());
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

  #read<T extends EntryInfo>(conditions: Conditions, find: () => T | undefined): Answered<Found<T>> {
    return this.handleCall(({ incarnation }) => {
      const entry = find();
      const tag = entry && etag(incarnation, entry.revision);
      // If-Match comes first, and a read that it stops is an error, while If-None-Match spares the body.
      if (!matchHolds(conditions, tag)) return { outcome: "precondition_failed" };
      if (entry === undefined || tag === undefined) return { outcome: "absent" };
      if (!noneMatchHolds(conditions, tag)) return { outcome: "not_modified", etag: tag };
      return { outcome: "found", entry, etag: tag };
    });
  }

  #write<T>(change: (args: BucketArgs) => T): Answered<T> {
    return this.handleCall((args) => this.#entries.write(() => change(args)));
  }

  #writeOnce(
    idempotency: Idempotency | undefined,
    change: (incarnation: string) => JsonText,
  ): Answered<Once> {
    return this.handleCall(({ incarnation }) => {
      // Outside of the transaction: undone with it, the timer would be missing, and still be held to be set.
      if (idempotency !== undefined) this.#upkeep.by("remembered", this.clock() + REMEMBER_MS);
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
    this.#watchers.publish(changes);
    if (!this.#upkeep.isSet("log")) this.#upkeep.by("log", this.clock() + this.#settings.changeLogAgeMs);
    if (this.#entries.large.takeReleased()) this.#upkeep.by("large values", this.clock() + KEEP_MS);
    for (const { expires } of changes) if (expires !== null) this.#upkeep.by("expiry", expires);
  }

  #forget(socket: WebSocket, how: "closed" | "broken" = "closed"): void {
    this.#watchers.forget(socket);
    this.#sessions.forget(socket);
    this.#sockets.forget(socket);
    // A close may be reported as an error too.
    if (this.ctx.getTags(socket).includes(OUTSIDE) && !this.#gone.has(socket)) {
      if (how === "closed") connections.holdMore(this.ctx.id.toString(), -1);
      else connections.breakOff(this.ctx.id.toString(), socket);
    }
    this.#gone.add(socket);
  }
}
