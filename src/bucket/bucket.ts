/** The bucket's object: values under keys, one incarnation of one name. */

import type { Answer, BucketCommand, Change } from "../command/command.ts";
import { answerClose } from "../close-codes.ts";
import type { Env } from "../env.ts";
import { call } from "../otp/call.ts";
import type { Answered } from "../otp/exit.ts";
import { GenServer } from "../otp/gen-server.ts";
import { settingsOf } from "../settings.ts";
import type { Totals } from "../totals.ts";
import type { Value } from "../value.ts";
import { execute } from "./commands.ts";
import { etag, matchHolds, noneMatchHolds, type Conditions } from "./conditions.ts";
import { Entries, type Entry, type EntryInfo, type Page } from "./entries.ts";
import { Sockets } from "./sockets.ts";

export interface BucketArgs {
  readonly name: string;
  readonly incarnation: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** What a bucket answers to a probe. `ended`: it does not live any more, and that is why. */
export type ProbeReply = Totals | { readonly ended: string };

/** Timer: ask the registry whether it knows this bucket. */
type Info = "orphan";

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

/**
 * One bucket. It lives as long as its own storage carries its incarnation, and answers `noproc` otherwise:
 * whoever holds a stale id can neither read what was there nor write to what has taken the name.
 *
 * Every change gets the bucket's next revision. Changes that were asked for together are one transaction,
 * and their acknowledgement is held back by the platform's output gate until they are on disk.
 */
export class Bucket extends GenServer<Env, BucketArgs, Info> {
  readonly #entries = new Entries(this.ctx.storage);
  readonly #sockets = new Sockets(this.ctx, this.env, {
    name: () => this.args?.name,
    run: (commands) => this.run(commands),
    exit: (reason) => this.exit(reason),
  });

  get(key: string, conditions: Conditions): Answered<Found<Entry>> {
    return this.#read(conditions, () => this.#entries.get(key));
  }

  /** As {@link get}, without the value. */
  info(key: string, conditions: Conditions): Answered<Found<EntryInfo>> {
    return this.#read(conditions, () => this.#entries.info(key));
  }

  put(key: string, value: Value, type: string | null, conditions: Conditions): Answered<Written> {
    return this.handleCall(({ incarnation }) => {
      if (!this.#allows(key, conditions, incarnation)) return { outcome: "precondition_failed" };
      const { created, revision } = this.#entries.write(() => this.#entries.put(key, value, type));
      this.#sockets.publish([{ kind: "put", key, value }]);
      return { outcome: "stored", created, revision, etag: etag(incarnation, revision) };
    });
  }

  remove(key: string, conditions: Conditions): Answered<Removed> {
    return this.handleCall(({ incarnation }) => {
      if (!this.#allows(key, conditions, incarnation)) return { outcome: "precondition_failed" };
      const removed = this.#entries.write(() => this.#entries.remove(key));
      if (removed) this.#sockets.publish([{ kind: "delete", key }]);
      return { outcome: removed ? "removed" : "absent" };
    });
  }

  /** Keys in the order of their bytes. */
  keys(page: Page): Answered<string[]> {
    return this.handleCall(() => this.#entries.keys(page));
  }

  totals(): Answered<Totals & { readonly incarnation: string }> {
    return this.handleCall(({ incarnation }) => ({ ...this.#entries.totals(), incarnation }));
  }

  /**
   * Whether the bucket is well, in its own words: the registry asks. Reads its storage, not its memory. One
   * that has ended by itself says why, so that the reason is known even if its notice is late.
   */
  probe(): Answered<ProbeReply> {
    const { lastWords } = this;
    if (lastWords !== undefined) return { reply: { ended: lastWords } };
    return this.handleProbe(() => this.#entries.readTotals());
  }

  /**
   * Carries out commands of the text protocol, in one transaction. Answers the first of them, one at least,
   * as far as their answers stay within a few megabytes; the others have not been carried out.
   */
  run(commands: readonly BucketCommand[]): Answered<readonly Answer[]> {
    return this.handleCall(() => {
      const changes: Change[] = [];
      const answers = this.#entries.write(() => execute(this.#entries, commands, changes));
      this.#sockets.publish(changes);
      return answers;
    });
  }

  /** WebSocket upgrades: `/connect` for a connection of the text protocol, `/subscribe` for a feed of changes. */
  override async fetch(request: Request): Promise<Response> {
    const kind = new URL(request.url).pathname === "/subscribe" ? "feed" : "session";
    const answer = await this.handleCall(({ name }) => this.#sockets.accept(kind, name));
    return "reply" in answer ? answer.reply : Response.json(answer, { status: 409 });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    await this.#sockets.receive(socket, message);
  }

  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    this.#sockets.forget(socket);
    answerClose(socket, code, reason);
  }

  override webSocketError(socket: WebSocket): void {
    this.#sockets.forget(socket);
  }

  protected override init(): void {
    this.#entries.createTables();
    this.#askLater();
  }

  protected override wiped(): void {
    this.#entries.reset();
  }

  protected override ended(reason: string): void {
    this.#sockets.ended(reason);
  }

  protected override resetting(reason: string): Promise<void> {
    return this.#sockets.resetting(reason);
  }

  /**
   * The orphan check. An object whose start and stop were both lost on their way is named by nobody, and no
   * sweep will ever find it: it has to ask. Only a clear no ends it.
   */
  protected override async handleInfo(_message: Info, { name, incarnation }: BucketArgs): Promise<void> {
    const [monitor] = this.monitors;
    if (monitor !== undefined) {
      const { REGISTRY } = this.env;
      const registry = REGISTRY.get(REGISTRY.idFromString(monitor.watcher.id));
      if (!(await call(() => registry.knows({ name, incarnation })))) return this.vanish();
    }
    this.#askLater();
  }

  #askLater(): void {
    const { orphanPeriodMs } = settingsOf(this.env);
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

  #allows(key: string, conditions: Conditions, incarnation: string): boolean {
    // Most writes have no condition, and need no read.
    if (conditions.ifMatch === undefined && conditions.ifNoneMatch === undefined) return true;
    const entry = this.#entries.info(key);
    const tag = entry && etag(incarnation, entry.revision);
    return matchHolds(conditions, tag) && noneMatchHolds(conditions, tag);
  }
}
