/** The registry's object: one partition of the names. Client calls on top, the order of things below. */

import type { Bucket, BucketArgs } from "../bucket/bucket.ts";
import { answerClose } from "../close-codes.ts";
import type { Env } from "../env.ts";
import { KvError } from "../errors.ts";
import { call } from "../otp/call.ts";
import { Deadlines } from "../otp/deadlines.ts";
import { Exit, messageOf, type Reply } from "../otp/exit.ts";
import { failpoint } from "../otp/failpoint.ts";
import { asReply, GenServer } from "../otp/gen-server.ts";
import type { Notice } from "../otp/monitor.ts";
import type { RestartKind } from "../otp/restart.ts";
import { settingsOf } from "../settings.ts";
import { EventSockets } from "./event-sockets.ts";
import { Events, type EventKind, type RegistryEvent } from "./events.ts";
import { recheckDelay, sweepDelay, UNREACHABLE_AFTER, type Verdict } from "./liveness.ts";
import { Names, type Incarnation, type NamesPage, type Registration, type State } from "./names.ts";
import type { Partition } from "./partition.ts";
import { Prober } from "./prober.ts";
import { agree, Settlement } from "./settlement.ts";

export interface CreateOptions {
  /** What an exit or a crash does to the bucket, if it is new; `permanent` if left out. */
  readonly restart?: RestartKind;
  /** JSON, kept beside the name. */
  readonly metadata?: string;
  /** Where the bucket's object should live, if it is new. */
  readonly locationHint?: DurableObjectLocationHint;
  /** What the bucket's object must not leave, if it is new. */
  readonly jurisdiction?: DurableObjectJurisdiction;
}

export interface Created {
  readonly registration: Registration;
  /** Whether the bucket is new. */
  readonly created: boolean;
}

/** What a follower of events asks for. */
export interface Follow {
  /** Only this name. */
  readonly name?: string;
  /** What came after this event; from now on, if left out. */
  readonly since?: number;
}

/**
 * Timers. `check`: something has to be done about some names: they are between two states, and whoever was to
 * move them on may be gone; or they are suspect. `sweep`: the next batch of buckets is to be probed.
 */
type Info = "check" | "sweep";

/** How long a create or stop is left to its caller before the alarm looks after it, in milliseconds. */
const REPAIR_AFTER_MS = 10_000;
/** Names that one alarm looks after. */
const CHECK_BATCH = 100;
/** A create whose bucket ends before it is confirmed begins anew, this often. */
const MAX_CREATES = 3;

const LIVING = ["running", "suspect", "unreachable"] as const satisfies readonly State[];

/**
 * One partition of the registry, and the supervisor of its buckets. Each step of a name's life is one
 * synchronous transaction here *before* the call to the bucket, so that at any moment the row says what may
 * be half done; and the calls to the bucket are idempotent, so that whoever finds such a row, the next
 * caller or the alarm, can finish it. After every await the row is read again: each statement that moves a
 * name on names the incarnation and the states from which it may.
 *
 * Reads create nothing: a partition in which no name was ever created has no schema.
 */
export class Registry extends GenServer<Env, Partition, Info> {
  readonly #settings = settingsOf(this.env);
  readonly #deadlines = new Deadlines(this.#settings.callTimeoutMs);
  readonly #events = new Events(this.ctx.storage.sql, this.#settings.eventLog);
  readonly #followers = new EventSockets(this.ctx);
  readonly #settlement = new Settlement({
    settled: () => this.#call(() => this.#first().settledPartitions()),
    settle: (partitions) => this.#call(() => this.#first().settlePartitions(partitions)),
  });
  protected readonly names = new Names(this.ctx.storage.sql);
  readonly #prober = new Prober({
    names: this.names,
    kv: this.ctx.storage.kv,
    settings: this.#settings,
    clock: () => this.clock(),
    bucket: (entry) => this.bucket(entry),
    apply: (entry, verdict) => this.#apply(entry, verdict),
  });
  /** Probes that callers have asked for and that are under way, by name. */
  readonly #suspicions = new Map<string, Promise<unknown>>();

  /** The bucket that has the name; null if none has. */
  async lookup(caller: Partition, name: string): Promise<Reply<Registration | null>> {
    return this.#read(caller, null, () => this.#living(name) ?? null);
  }

  /** Names of living buckets of this partition, in order. */
  async list(caller: Partition, page: NamesPage): Promise<Reply<Registration[]>> {
    return this.#read(caller, [], () => this.names.page(page));
  }

  /** How many names there are in each state. */
  async counts(caller: Partition): Promise<Reply<Readonly<Record<State, number>>>> {
    const none = { starting: 0, running: 0, suspect: 0, unreachable: 0, stopping: 0 };
    return this.#read(caller, none, () => this.names.counts());
  }

  /** Ensures that there is a bucket of this name. */
  async create(caller: Partition, name: string, options: CreateOptions): Promise<Reply<Created>> {
    return this.#change(caller, () => this.serial.run(name, () => this.createBucket(name, options)));
  }

  /** Ends the bucket of this name, reason `normal`, and frees the name. The reply is whether there was one. */
  async stopBucket(caller: Partition, name: string): Promise<Reply<boolean>> {
    return this.#read(caller, false, () => this.serial.run(name, () => this.#stop(name)));
  }

  /**
   * A caller has heard `noproc` from a bucket that the registry holds to be living, or can't reach it. The
   * registry asks for itself: only the bucket's own word frees the name. The reply is whether it did.
   */
  async suspect(caller: Partition, name: string, incarnation: string): Promise<Reply<boolean>> {
    return this.#read(caller, false, async () => {
      const found = this.#living(name);
      if (found?.incarnation !== incarnation) return false;
      // However many callers suspect it, one probe is under way.
      const probing = this.#suspicions.get(name) ?? this.#prober.probe([found]);
      this.#suspicions.set(name, probing);
      await probing.finally(() => this.#suspicions.delete(name));
      return this.#living(name)?.incarnation !== incarnation;
    });
  }

  /** Whether the registry has this bucket on its books; a bucket that hears no has no right to live. */
  knows({ name, incarnation }: Incarnation): Reply<boolean> {
    // A partition that has lost its storage knows nothing, and says nothing.
    if (this.args === undefined) return { exit: "noproc" };
    return { reply: this.names.find(name)?.incarnation === incarnation };
  }

  /** Partition 0 only: how many partitions the registry was first used with; null before that. */
  settledPartitions(): Reply<number | null> {
    return { reply: this.args?.partitions ?? null };
  }

  /** Partition 0 only: settles the number of partitions, if it is open, and answers with what it is. */
  settlePartitions(partitions: number): Reply<number> {
    if (this.args === undefined) this.start({ partition: 0, partitions });
    return { reply: this.args?.partitions ?? partitions };
  }

  /**
   * A WebSocket that follows the events: see {@link Follow}. 410 where the log does not reach back so far.
   * Reads create nothing: a follower of a partition that was never used waits for its first event.
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

  protected override init(): void {
    this.names.createTables();
    this.#events.createTables();
  }

  protected override async handleInfo(message: Info): Promise<void> {
    if (message === "check") await this.#check();
    else await this.#sweep();
  }

  /** A bucket says how it has ended, or that it was restarted. */
  protected override async handleNotice(notice: Notice): Promise<void> {
    if (FAILPOINTS) await failpoint(this.ctx, "notice: received, not recorded");
    const bucket = incarnationOf(notice.ref);
    if (notice.kind === "down") this.down(bucket, notice.reason);
    else this.#restarted(bucket, notice);
    if (FAILPOINTS) await failpoint(this.ctx, "notice: recorded, not answered");
  }

  protected async createBucket(name: string, options: CreateOptions): Promise<Created> {
    for (let tries = 0; tries < MAX_CREATES; tries += 1) {
      const found = this.names.find(name);
      if (found !== undefined && isLiving(found)) return { registration: found, created: false };
      // A stop that was cut off comes first: its bucket must be gone before the name is used again.
      if (found?.state === "stopping") {
        await this.finishStop(found);
        continue;
      }
      const entry = found ?? this.insert(name, options);
      if (FAILPOINTS) await failpoint(this.ctx, "create: row written, object not started");
      if (await this.finishStart(entry, options.locationHint)) {
        if (FAILPOINTS) await failpoint(this.ctx, "create: confirmed, not answered");
        return { registration: { ...entry, state: "running" }, created: true };
      }
    }
    throw new Exit("noproc");
  }

  async #stop(name: string): Promise<boolean> {
    const found = this.names.find(name);
    if (found === undefined) return false;
    if (FAILPOINTS) await failpoint(this.ctx, "stop: found, not marked");
    this.#transaction(() => {
      // The mark first: from here on no lookup finds the bucket, whether or not it can be reached.
      this.names.move(found, ["starting", ...LIVING], { state: "stopping", checkAt: this.#repairAt() });
      this.#checkBy(this.#repairAt());
    });
    if (FAILPOINTS) await failpoint(this.ctx, "stop: marked, object not told");
    await this.finishStop(found);
    if (FAILPOINTS) await failpoint(this.ctx, "stop: freed, not answered");
    return true;
  }

  /** The row and its repair in one transaction, before the object hears of it: an object is never nameless. */
  protected insert(name: string, { jurisdiction, metadata, restart }: CreateOptions): Registration {
    const entry: Registration = {
      name,
      incarnation: newIncarnation(),
      id: this.#newId(jurisdiction),
      state: "starting",
      restart: restart ?? "permanent",
      restarts: 0,
      reason: null,
      createdAt: this.clock(),
      metadata: metadata ?? null,
      probe: null,
      attempts: 0,
    };
    this.#transaction(() => {
      this.names.insert(entry, this.#repairAt());
      if (FAILPOINTS) void failpoint(this.ctx, "create: row written, repair not scheduled");
      this.#checkBy(this.#repairAt());
      this.#scheduleSweep();
    });
    return entry;
  }

  /** @returns whether the name leads to a living bucket now. */
  protected async finishStart(
    entry: Registration,
    locationHint?: DurableObjectLocationHint,
  ): Promise<boolean> {
    const { name, incarnation, createdAt, restart } = entry;
    const args: BucketArgs = { name, incarnation, createdAt };
    const monitor = { ref: refOf(entry), watcher: { binding: "REGISTRY", id: this.ctx.id.toString() } };
    try {
      await this.#call(() => this.bucket(entry, locationHint).start(args, { restart, monitor }));
    } catch (error) {
      if (!isNoproc(error)) throw error;
      // Its object was told to end before it was told to start, and will not start any more.
      this.down(entry, "noproc");
      return false;
    }
    if (FAILPOINTS) await failpoint(this.ctx, "create: object started, not confirmed");
    // Only now: a name that is looked up leads to a bucket that lives.
    return this.#transaction((record) => {
      const moved = this.names.move(entry, ["starting"], { state: "running" });
      if (moved) record("created", entry, null);
      return moved;
    });
  }

  protected async finishStop(entry: Registration): Promise<void> {
    const reason = await this.#call(() => this.bucket(entry).stop("normal", refOf(entry)));
    if (FAILPOINTS) await failpoint(this.ctx, "stop: wiped, not freed");
    // Only now: a free name has no bucket behind it.
    this.down(entry, reason);
  }

  /** The bucket has said itself that it has ended: its name is free. However often that is heard, it counts once. */
  protected down(bucket: Incarnation, reason: string): void {
    this.#transaction((record) => {
      if (!this.names.remove(bucket)) return;
      if (FAILPOINTS) void failpoint(this.ctx, "down: name freed, event not written");
      record("DOWN", bucket, reason);
    });
  }

  #restarted(bucket: Incarnation, notice: Notice & { readonly kind: "restarted" }): void {
    const { reason, restarts, givenUp } = notice;
    this.#transaction((record) => {
      if (!this.names.restarted(bucket, restarts, reason)) return;
      record("RESTARTED", bucket, reason);
      if (!givenUp) return;
      // As a supervisor whose restart intensity is reached: left alone, until a probe finds it well.
      const checkAt = this.clock() + recheckDelay(UNREACHABLE_AFTER, this.#settings.recheckMs);
      const step = { state: "unreachable", checkAt, attempts: UNREACHABLE_AFTER, reason } as const;
      if (!this.names.move(bucket, LIVING, step)) return;
      this.#checkBy(checkAt);
      record("unreachable", bucket, reason);
    });
  }

  /** What follows from a probe; the row says whether it still may. */
  #apply(entry: Registration, verdict: Verdict): void {
    switch (verdict.kind) {
      case "free":
        if (this.#living(entry.name) !== undefined) this.down(entry, verdict.reason);
        return;
      case "alive":
        this.#alive(entry, verdict.totals);
        return;
      case "held":
        if (entry.state !== "running") this.#doubt(entry, entry.state, verdict.checkInMs, entry.attempts);
        return;
      case "suspect":
      case "unreachable":
        this.#doubt(entry, verdict.kind, verdict.checkInMs, entry.attempts + 1, verdict.reason);
    }
  }

  #alive(entry: Registration, totals: (Verdict & { kind: "alive" })["totals"]): void {
    const { state, probe } = entry;
    const same = probe !== null && totals !== undefined && sameTotals(probe, totals);
    // The sweep notes for a whole batch when it was there, so what has not changed is not written again.
    if (state === "running" && (same || totals === undefined)) return;
    this.#transaction((record) => {
      const moved = this.names.move(entry, ["suspect", "unreachable"], { state: "running" });
      if (moved && state === "unreachable") record("reachable", entry, null);
      if (totals !== undefined) this.names.saveProbe(entry, { ...totals, at: this.clock() });
    });
  }

  #doubt(entry: Registration, state: State, checkInMs: number, attempts: number, reason?: string): void {
    this.#transaction((record) => {
      const checkAt = this.clock() + checkInMs;
      const step = { state, checkAt, attempts, ...(reason === undefined ? {} : { reason }) };
      if (!this.names.move(entry, LIVING, step)) return;
      this.#checkBy(checkAt);
      if (state === "unreachable" && entry.state !== state) record("unreachable", entry, reason ?? null);
    });
  }

  /** Looks after the names of which the time has come: finishes what was cut off, probes what is suspect. */
  async #check(): Promise<void> {
    const due = this.names.due(this.clock(), CHECK_BATCH);
    const [living, unsettled] = [due.filter(isLiving), due.filter((entry) => !isLiving(entry))];
    if (FAILPOINTS) await failpoint(this.ctx, "repair: due, not settled");
    await Promise.all([this.#prober.probe(living), ...unsettled.map((entry) => this.#repair(entry))]);
    if (FAILPOINTS) await failpoint(this.ctx, "repair: settled, not scheduled again");
    const next = this.names.nextCheck();
    if (next !== undefined) this.timers.sendAfter("check", "check", Math.max(0, next - this.clock()));
  }

  async #repair({ name, attempts }: Registration): Promise<void> {
    try {
      await this.serial.run(name, () => this.#settle(name));
    } catch (error) {
      console.error(`repair of ${name} failed, will be tried again`, error);
      const found = this.names.find(name);
      if (found === undefined || isLiving(found)) return;
      // Later and later, each name for itself: one that fails does not delay the others.
      const checkAt = this.clock() + recheckDelay(attempts + 1, REPAIR_AFTER_MS);
      this.names.move(found, [found.state], { state: found.state, checkAt, attempts: attempts + 1 });
    }
  }

  async #settle(name: string): Promise<void> {
    const found = this.names.find(name);
    if (found?.state === "starting") await this.finishStart(found);
    if (found?.state === "stopping") await this.finishStop(found);
  }

  async #sweep(): Promise<void> {
    const delay = await this.#prober.sweep();
    // An empty partition sleeps; the next create wakes it.
    if (this.names.size > 0) this.timers.sendAfter("sweep", "sweep", delay);
  }

  #scheduleSweep(): void {
    const { sweepPeriodMs, sweepBatch } = this.#settings;
    if (sweepPeriodMs === 0 || this.timers.due("sweep") !== undefined) return;
    this.timers.sendAfter("sweep", "sweep", sweepDelay(this.names.size, sweepBatch, sweepPeriodMs));
  }

  #repairAt(): number {
    return this.clock() + REPAIR_AFTER_MS;
  }

  /** One alarm looks after all names; a thousand creates set it once. */
  #checkBy(at: number): void {
    const due = this.timers.due("check");
    if (due === undefined || at < due) this.timers.sendAfter("check", "check", at - this.clock());
  }

  #living(name: string): Registration | undefined {
    const found = this.names.find(name);
    return found !== undefined && isLiving(found) ? found : undefined;
  }

  protected bucket(
    { id }: Registration,
    locationHint?: DurableObjectLocationHint,
  ): DurableObjectStub<Bucket> {
    const { BUCKET } = this.env;
    return BUCKET.get(BUCKET.idFromString(id), locationHint === undefined ? {} : { locationHint });
  }

  #newId(jurisdiction: DurableObjectJurisdiction | undefined): string {
    const { BUCKET } = this.env;
    try {
      return (jurisdiction === undefined ? BUCKET : BUCKET.jurisdiction(jurisdiction))
        .newUniqueId()
        .toString();
    } catch (error) {
      throw new KvError(
        "jurisdiction_unavailable",
        `Jurisdiction "${jurisdiction}" can't be had here: ${messageOf(error)}`,
      );
    }
  }

  #call<T>(request: () => Promise<Reply<T>>): Promise<T> {
    // All that is asked of buckets and of partition 0 here may be asked twice.
    return call(request, { deadlines: this.#deadlines, repeat: "once" });
  }

  /** A change with its events, as one; followers hear of it when it is done. */
  #transaction<T>(change: (record: Recorder) => T): T {
    const events: RegistryEvent[] = [];
    const record: Recorder = (kind, { name, incarnation }, reason) => {
      events.push(this.#events.append({ at: this.clock(), kind, name, incarnation, reason }));
    };
    let result: T;
    try {
      result = this.ctx.storage.transactionSync(() => change(record));
    } catch (error) {
      this.names.reset();
      throw error;
    }
    for (const event of events) this.#followers.publish(event);
    return result;
  }

  /** A call that changes nothing in a partition that was never used: there the reply is `unused`. */
  async #read<T>(caller: Partition, unused: T, body: () => T | Promise<T>): Promise<Reply<T>> {
    return asReply(async () => {
      if (this.args === undefined) await this.#settlement.confirm(caller);
      // Read again: while partition 0 was asked, a create may have come.
      if (this.args === undefined) return unused;
      agree(caller, this.args.partitions);
      return body();
    });
  }

  /** A call that starts the partition if it was never used. */
  async #change<T>(caller: Partition, body: () => Promise<T>): Promise<Reply<T>> {
    return asReply(async () => {
      if (this.args === undefined) {
        await this.#settlement.settle(caller);
        if (FAILPOINTS) await failpoint(this.ctx, "create: partitions settled, partition not started");
        if (this.args === undefined) this.start({ ...caller });
      }
      agree(caller, (this.args as Partition).partitions);
      return body();
    });
  }

  #first(): DurableObjectStub<Registry> {
    return partitionStub(this.env.REGISTRY, 0);
  }
}

type Recorder = (kind: EventKind, bucket: Incarnation, reason: string | null) => void;

interface FollowRequest {
  readonly caller: Partition;
  readonly follow: Follow;
}

/** The object that keeps a partition. */
export function partitionStub(
  namespace: DurableObjectNamespace<Registry>,
  partition: number,
): DurableObjectStub<Registry> {
  return namespace.get(namespace.idFromName(`partition-${partition}`));
}

/** Opens a WebSocket that follows a partition's events; null where the log does not reach back so far. */
export async function followPartition(
  registry: DurableObjectStub<Registry>,
  caller: Partition,
  follow: Follow,
): Promise<Reply<WebSocket | null>> {
  const request: FollowRequest = { caller, follow };
  const response = await registry.fetch(
    `http://registry/events?follow=${encodeURIComponent(JSON.stringify(request))}`,
    { headers: { Upgrade: "websocket" } },
  );
  if (response.webSocket !== null) return { reply: response.webSocket };
  if (response.status === 410) return { reply: null };
  return (await response.json()) as Reply<never>;
}

/** The monitor of a bucket: one for each incarnation, so that what is heard of one never meets another. */
export function refOf({ name, incarnation }: Incarnation): string {
  return `${incarnation}/${name}`;
}

function incarnationOf(ref: string): Incarnation {
  const [incarnation = "", name = ""] = ref.split("/", 2);
  return { name, incarnation };
}

/** Whether a name leads to a bucket. */
function isLiving({ state }: Registration): boolean {
  return state !== "starting" && state !== "stopping";
}

function isNoproc(error: unknown): boolean {
  return error instanceof Exit && error.reason === "noproc";
}

function sameTotals(one: { entries: number; bytes: number; revision: number }, other: typeof one): boolean {
  return one.entries === other.entries && one.bytes === other.bytes && one.revision === other.revision;
}

/** Sixty-four random bits: enough to tell apart all buckets that will ever have one name. */
function newIncarnation(): string {
  return crypto.getRandomValues(new Uint8Array(8)).toHex();
}
