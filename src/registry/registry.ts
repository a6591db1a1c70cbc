/** The registry's object: one partition of the names. Client calls on top; below, the order of the steps of each call. */

import type { BucketArgs, BucketStub } from "../rpc/bucket-rpc.ts";
import type {
  Created,
  FollowRequest,
  RegistryRpc,
  Report,
  RegistryStub,
  Stats,
} from "../rpc/registry-rpc.ts";
import { isLiving, type CreateOptions, type NamesQuery, type Registration } from "../model/registration.ts";
import type { Totals } from "../model/totals.ts";
import { answerClose } from "../lib/close-codes.ts";
import type { Env } from "../config/env.ts";
import { call } from "../otp/call.ts";
import { Deadlines } from "../otp/deadlines.ts";
import { asReply, Exit, type Reply } from "../otp/exit.ts";
import { failpoint } from "../otp/failpoint.ts";
import { GenServer } from "../otp/gen-server.ts";
import type { Migrations } from "../otp/migrations.ts";
import type { Notice } from "../otp/monitor.ts";
import { settingsOf } from "../config/settings.ts";
import { newBucketId, unavailability } from "./bucket-id.ts";
import { differenceOf, existsDifferently, hintOf } from "./bucket-options.ts";
import { EventSockets } from "./event-sockets.ts";
import { Events } from "./events.ts";
import { incarnationOf, newIncarnation, refOf, type Incarnation } from "../model/incarnation.ts";
import { sweepDelay, type Verdict } from "./liveness.ts";
import { REGISTRY_MIGRATIONS } from "./migrations.ts";
import { Names } from "./names.ts";
import type { Partition } from "../rpc/partition.ts";
import { partitionStub } from "../rpc/partition-stub.ts";
import { Prober } from "./prober.ts";
import { PartitionCount } from "./partition-count.ts";
import { step } from "./step.ts";
import type { Input, Step } from "./protocol.ts";
import { rowOf, Runner } from "./runner.ts";

/**
 * Timers. `check`: the check of some names is due, because they are between two states and their caller may have
 * vanished, or because they are suspect or unreachable. `sweep`: the next batch of buckets must be probed.
 */
type Info = "check" | "sweep";

/** Names that one alarm checks at most. */
const CHECK_BATCH = 100;

/**
 * One partition of the registry, and the supervisor of its buckets. What happens to a name is decided by the protocol
 * (step.ts) and done by the runner (runner.ts). This object hears the callers, the buckets and the alarm, and
 * passes on what they say.
 *
 * Reads create nothing: a partition in which no name was ever created has no tables.
 */
export class Registry extends GenServer<Env, Partition, Info> implements RegistryRpc {
  readonly #settings = settingsOf(this.env);
  readonly #deadlines = new Deadlines(this.#settings.callTimeoutMs);
  readonly #events = new Events(this.ctx.storage.sql, this.#settings.eventLog);
  readonly #followers = new EventSockets(this.ctx);
  readonly #names = new Names(this.ctx.storage.sql);
  readonly #partitionCount = new PartitionCount(
    { ctx: this.ctx, stored: () => this.args, start: (partition) => this.start({ ...partition }) },
    {
      fixed: () => this.#call(() => this.#first().partitionCount()),
      fix: (partitions) => this.#call(() => this.#first().fixPartitionCount(partitions)),
    },
  );
  /** The protocol. Tests replace it with variants that have a bug. */
  protected readonly step: Step = step;
  readonly #runner = new Runner({
    ctx: this.ctx,
    step: () => this.step,
    names: this.#names,
    events: this.#events,
    followers: this.#followers,
    clock: () => this.clock(),
    recheckMs: this.#settings.recheckMs,
    newIncarnation,
    newEntry: (name, incarnation, options) => this.#newEntry(name, incarnation, options),
    start: (entry, options) => this.#startBucket(entry, options),
    stop: (entry) => this.#call(() => this.bucket(entry).stop("normal", refOf(entry))),
    checkBy: (at) => this.#checkBy(at),
    freed: (id) => this.freed(id),
  });
  readonly #prober = new Prober({
    names: this.#names,
    kv: this.ctx.storage.kv,
    settings: this.#settings,
    clock: () => this.clock(),
    bucket: (entry) => this.bucket(entry),
    apply: (entry, verdict) => this.#judged(entry, verdict),
  });

  constructor(...args: ConstructorParameters<typeof GenServer<Env, Partition, Info>>) {
    super(...args);
    if (this.args === undefined) return;
    // The timers are set again from the table, which has all pending checks, and from the settings, which may have changed.
    const next = this.#names.nextCheck();
    if (next !== undefined) this.#checkBy(next);
    this.#scheduleSweep();
  }

  /** The living bucket of this name; null if there is none. Waits for a create or stop under way. Creates nothing. */
  async lookup(caller: Partition, name: string): Promise<Reply<Registration | null>> {
    return this.#read(caller, null, async () => {
      const found = await this.#runner.ask(name, "lookup");
      return found.is === "bucket" ? found.registration : null;
    });
  }

  /** One page of the living buckets of this partition, in the order of their names. */
  async list(caller: Partition, page: NamesQuery): Promise<Reply<Registration[]>> {
    return this.#read(caller, [], () => this.#names.page(page));
  }

  /** The number of names in each state, and the work of the sweep since the object was woken. */
  async stats(caller: Partition): Promise<Reply<Stats>> {
    const none = { starting: 0, running: 0, suspect: 0, unreachable: 0, stopping: 0 };
    const { stats: sweep } = this.#prober;
    return this.#read(caller, { states: none, sweep }, () => {
      const states = this.#names.counts();
      return { states: { ...states, starting: states.starting + this.#runner.starting }, sweep };
    });
  }

  /** Ensures that the bucket exists. @throws {KvError} `bucket_exists_differently`, `jurisdiction_unavailable` */
  async create(caller: Partition, name: string, options: CreateOptions): Promise<Reply<Created>> {
    return this.#change(caller, async () => {
      if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "create: asked, nothing written");
      const created = await this.#create(name, options);
      if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "create: confirmed, not answered");
      return created;
    });
  }

  /** Ends the bucket of this name with reason `normal` and frees the name. Replies whether there was a bucket. */
  async stopBucket(caller: Partition, name: string): Promise<Reply<boolean>> {
    return this.#read(caller, false, async () => {
      if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "stop: asked, not marked");
      const stopped = await this.#runner.ask(name, "stop");
      if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "stop: freed, not answered");
      return stopped.is === "ended";
    });
  }

  /**
   * Probes a bucket that answered `noproc` to a caller, or that a caller could not reach. The registry probes it itself,
   * because only the bucket's own report frees a name. Replies whether the incarnation has lost the name.
   */
  async suspect(caller: Partition, name: string, incarnation: string): Promise<Reply<boolean>> {
    return this.#read(caller, false, async () => {
      const found = this.#living(name);
      if (found?.incarnation !== incarnation) return false;
      await this.#prober.suspect(found);
      return this.#living(name)?.incarnation !== incarnation;
    });
  }

  /**
   * A bucket's report of its totals, beside the probes of the sweep. Replies whether this incarnation has its name: a bucket that
   * receives `false` is an orphan, and ends itself if its settings say so.
   */
  async report({ name, incarnation }: Incarnation, { restarts, ...totals }: Report): Promise<Reply<boolean>> {
    this.wake();
    // A partition without tables (its storage was lost) must not answer `false`, or its buckets would end themselves.
    if (this.args === undefined) return this.absent();
    return asReply(async () => {
      const has = await this.#runner.hasName(name, incarnation);
      const found = has ? this.#living(name) : undefined;
      if (found?.restarts === restarts) this.#judged(found, { kind: "alive", totals });
      return has;
    });
  }

  /** The object of a bucket that has no name has wiped itself. */
  wiped(id: string): Reply<null> {
    this.freed(id);
    return { reply: null };
  }

  /** Partition 0 only: the fixed partition count; null before the first create. */
  partitionCount(): Reply<number | null> {
    if (this.refusal !== undefined) return this.absent();
    return { reply: this.args?.partitions ?? null };
  }

  /** Partition 0 only: fixes the partition count if it is not fixed yet. Replies with the fixed count. */
  fixPartitionCount(partitions: number): Reply<number> {
    if (this.refusal !== undefined) return this.absent();
    if (this.args === undefined) this.start({ partition: 0, partitions });
    return { reply: this.args?.partitions ?? partitions };
  }

  /**
   * Opens a WebSocket that follows the events: see {@link Follow}. Status 410 if the log no longer has all events after
   * the position. Creates nothing: a follower of a partition that was never used waits for its first event.
   */
  override async fetch(request: Request): Promise<Response> {
    const { caller, follow } = JSON.parse(
      new URL(request.url).searchParams.get("follow") ?? "{}",
    ) as FollowRequest;
    const answer = await this.#read(caller, undefined, () => this.#events);
    if (!("reply" in answer)) return Response.json(answer, { status: 409 });
    const events = answer.reply;
    const latest = events?.position ?? 0;
    const position = follow.since ?? latest;
    if (position !== latest && events?.covers(position) !== true) return new Response(null, { status: 410 });
    const found = follow.name === undefined || events === undefined ? null : this.#living(follow.name);
    return this.#followers.accept(follow.name, { position, found: found ?? null }, events);
  }

  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    answerClose(socket, code, reason);
  }

  protected override get migrations(): Migrations {
    return REGISTRY_MIGRATIONS;
  }

  protected override init(): void {
    this.#names.createTables();
    this.#events.createTables();
  }

  protected override clockSetBack(): void {
    if (this.args !== undefined) this.#names.clockSetBack(this.clock());
  }

  protected override async handleInfo(message: Info): Promise<void> {
    // Out of the timer's transaction: what a step sends must not be undone.
    await Promise.resolve();
    if (message === "check") await this.#check();
    else await this.#sweep();
  }

  /** Records a bucket's notice of its end or its restart. */
  protected override async handleNotice(notice: Notice): Promise<void> {
    if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "notice: received, not recorded");
    const { name, incarnation } = incarnationOf(notice.ref);
    const { kind, ref: _, ...said } = notice;
    this.#runner.tell(name, { is: kind, incarnation, ...said } as Input);
    if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "notice: recorded, not answered");
  }

  /** Called when an object has been wiped, and no name will ever lead to it. The local server overrides it. */
  protected freed(_id: string): void {}

  async #create(name: string, options: CreateOptions): Promise<Created> {
    const { jurisdiction } = options;
    // Before anything is begun: no id can be made there.
    const unavailable =
      jurisdiction === undefined ? undefined : unavailability(this.env.BUCKET, jurisdiction);
    const result = await this.#runner.ask(name, unavailable === undefined ? "create" : "lookup", options);
    if (result.is !== "bucket") throw unavailable ?? new Exit("noproc");
    const { registration, created } = result;
    const difference = created ? undefined : differenceOf(registration, options);
    if (difference !== undefined) throw existsDifferently(name, difference);
    if (created) this.#scheduleSweep();
    return { registration, created };
  }

  #newEntry(name: string, incarnation: string, options: CreateOptions): Registration {
    const { jurisdiction, locationHint, metadata, restart } = options;
    return {
      name,
      incarnation,
      id: newBucketId(this.env.BUCKET, jurisdiction),
      state: "starting",
      restart: restart ?? "permanent",
      restarts: 0,
      reason: null,
      createdAt: this.clock(),
      metadata: metadata ?? null,
      jurisdiction: jurisdiction ?? null,
      locationHint: locationHint ?? null,
      probe: null,
      attempts: 0,
    };
  }

  async #startBucket(entry: Registration, { near }: CreateOptions): Promise<void> {
    const { name, incarnation, createdAt, restart } = entry;
    const args: BucketArgs = { name, incarnation, createdAt };
    const monitor = { ref: refOf(entry), watcher: { binding: "REGISTRY", id: this.ctx.id.toString() } };
    await this.#call(() => this.bucket(entry, near).start(args, { restart, monitor }));
  }

  /** Applies the verdict on a probe. @param entry the row at the time when the probe was sent */
  #judged(entry: Registration, verdict: Verdict): void {
    // The sweep stores the time of a probe once for the whole batch, so unchanged totals need no write.
    if (verdict.kind === "alive" && entry.state === "running" && hasTotals(entry, verdict.totals)) return;
    this.#runner.tell(entry.name, { is: "probed", seen: rowOf(entry), verdict });
  }

  /** Handles the names whose check is due: undoes what was cut off, probes suspect buckets. */
  async #check(): Promise<void> {
    const due = this.#names.due(this.clock(), CHECK_BATCH);
    const [living, cutOff] = [due.filter(isLiving), due.filter((entry) => !isLiving(entry))];
    if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "repair: due, not settled");
    await Promise.all([this.#prober.probe(living), ...cutOff.map(({ name }) => this.#repair(name))]);
    if (globalThis.KV_FAILPOINTS) await failpoint(this.ctx, "repair: settled, not scheduled again");
    const next = this.#names.nextCheck();
    if (next !== undefined) this.timers.sendAfter("check", "check", Math.max(0, next - this.clock()));
  }

  async #repair(name: string): Promise<void> {
    try {
      await this.#runner.ask(name, "repair");
    } catch (error) {
      console.error(`repair of ${name} failed and will be tried again`, error);
    }
  }

  async #sweep(): Promise<void> {
    const delay = await this.#prober.sweep();
    // An empty partition has no sweep; the next create schedules it again.
    if (this.#names.size > 0) this.timers.sendAfter("sweep", "sweep", delay);
  }

  #scheduleSweep(): void {
    const { sweepPeriodMs, sweepBatch } = this.#settings;
    const due = this.timers.due("sweep");
    if (sweepPeriodMs === 0) {
      if (due !== undefined) this.timers.cancel("sweep");
      return;
    }
    // Each batch of new names makes the wait shorter.
    const delay = sweepDelay(this.#names.size, sweepBatch, sweepPeriodMs);
    if (due === undefined || due > this.clock() + delay) this.timers.sendAfter("sweep", "sweep", delay);
  }

  /** Schedules the check for `at`, unless it is due earlier. One timer serves all names: a thousand creates set it once. */
  #checkBy(at: number): void {
    const due = this.timers.due("check");
    if (due === undefined || at < due) this.timers.sendAfter("check", "check", at - this.clock());
  }

  #living(name: string): Registration | undefined {
    const found = this.#names.find(name);
    return found !== undefined && isLiving(found) ? found : undefined;
  }

  /** @param near where the object of a new bucket should be born */
  protected bucket(
    bucket: Pick<Registration, "id" | "jurisdiction" | "locationHint">,
    near?: DurableObjectLocationHint,
  ): BucketStub {
    return this.env.BUCKET.get(this.env.BUCKET.idFromString(bucket.id), hintOf(bucket, near));
  }

  #call<T>(request: () => Promise<Reply<T>>): Promise<T> {
    // All calls to buckets and to partition 0 in this file are repeatable.
    return call(request, { deadlines: this.#deadlines, repeat: "twice" });
  }

  /** Runs a read. In a partition that was never used it creates nothing and replies with `unused`. */
  async #read<T>(caller: Partition, unused: T, body: () => T | Promise<T>): Promise<Reply<T>> {
    this.wake();
    return asReply(async () => {
      if (this.refusal !== undefined) throw this.refusal;
      return (await this.#partitionCount.toRead(caller)) ? body() : unused;
    });
  }

  /** Runs a change, and first starts a partition that was never used. */
  async #change<T>(caller: Partition, body: () => Promise<T>): Promise<Reply<T>> {
    this.wake();
    return asReply(async () => {
      if (this.refusal !== undefined) throw this.refusal;
      await this.#partitionCount.toChange(caller);
      return body();
    });
  }

  #first(): RegistryStub {
    return partitionStub(this.env.REGISTRY, 0);
  }
}

/** Whether the last probe of a bucket found the same totals. One that is being restarted reports none. */
function hasTotals({ probe }: Registration, totals: Totals | undefined): boolean {
  if (totals === undefined) return true;
  const { entries, bytes, revision } = totals;
  return probe?.entries === entries && probe.bytes === bytes && probe.revision === revision;
}
