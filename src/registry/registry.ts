/** The registry's object: one partition of the names. Client calls on top, the order of things below. */

import type { Bucket, BucketArgs } from "../bucket/bucket.ts";
import type { Env } from "../env.ts";
import { KvError } from "../errors.ts";
import { call } from "../otp/call.ts";
import { Deadlines } from "../otp/deadlines.ts";
import { Exit, messageOf, type Reply } from "../otp/exit.ts";
import { asReply, GenServer } from "../otp/gen-server.ts";
import { settingsOf } from "../settings.ts";
import { Names, type NamesPage, type Registration } from "./names.ts";
import type { Partition } from "./partition.ts";

export interface CreateOptions {
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

/** Timer: some names are between two states, and whoever was to move them on may be gone. */
type Repair = "repair";

/** How long a create or stop is left to its caller before the alarm looks after it, in milliseconds. */
const REPAIR_AFTER_MS = 10_000;
/** Names that one alarm looks after. */
const REPAIR_BATCH = 100;

/**
 * One partition of the registry. Each step of a name's life is one synchronous transaction here *before*
 * the call to the bucket, so that at any moment the row says what may be half done; and the calls to the
 * bucket are idempotent, so that whoever finds such a row, the next caller or the alarm, can finish it.
 *
 * Reads create nothing: a partition in which no name was ever created has no schema.
 */
export class Registry extends GenServer<Env, Partition, Repair> {
  readonly #names = new Names(this.ctx.storage.sql);
  readonly #deadlines = new Deadlines(settingsOf(this.env).callTimeoutMs);
  /** Partition 0 has confirmed this number to us, who have none of our own yet. */
  #confirmed: number | undefined;

  /** The bucket that has the name; null if none has. */
  async lookup(caller: Partition, name: string): Promise<Reply<Registration | null>> {
    return this.#read(caller, null, () => {
      const found = this.#names.find(name);
      return found?.state === "running" ? found : null;
    });
  }

  /** Running names of this partition, in order. */
  async list(caller: Partition, page: NamesPage): Promise<Reply<Registration[]>> {
    return this.#read(caller, [], () => this.#names.page(page));
  }

  /** Ensures that there is a bucket of this name. */
  async create(caller: Partition, name: string, options: CreateOptions): Promise<Reply<Created>> {
    return this.#change(caller, () => this.serial.run(name, () => this.#create(name, options)));
  }

  /** Ends the bucket of this name, reason `normal`, and frees the name. The reply is whether there was one. */
  async stopBucket(caller: Partition, name: string): Promise<Reply<boolean>> {
    return this.#read(caller, false, () => this.serial.run(name, () => this.#stop(name)));
  }

  /**
   * A caller has heard `noproc` from a bucket that the registry holds to be running. The registry asks for
   * itself: only the bucket's own word frees the name. The reply is whether it did.
   */
  async suspect(caller: Partition, name: string, incarnation: string): Promise<Reply<boolean>> {
    return this.#read(caller, false, () => this.serial.run(name, () => this.#recheck(name, incarnation)));
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

  protected override init(): void {
    this.#names.createTables();
  }

  protected override async handleInfo(_message: Repair): Promise<void> {
    const unsettled = this.#names.unsettled(REPAIR_BATCH);
    const repairs = await Promise.allSettled(
      unsettled.map(({ name }) => this.serial.run(name, () => this.#settle(name))),
    );
    for (const repair of repairs) {
      if (repair.status === "rejected") console.error("repair failed, will be tried again", repair.reason);
    }
    // Not thrown: the timer's back-off would make one name that fails delay all others.
    if (this.#names.unsettled(1).length > 0) this.timers.sendAfter("repair", "repair", REPAIR_AFTER_MS);
  }

  async #create(name: string, options: CreateOptions): Promise<Created> {
    const found = this.#names.find(name);
    if (found?.state === "running") return { registration: found, created: false };
    // A stop that was cut off comes first: its bucket must be gone before the name is used again.
    if (found?.state === "stopping") await this.#finishStop(found);
    const entry = found?.state === "starting" ? found : this.#insert(name, options);
    await this.#finishStart(entry, options.locationHint);
    return { registration: { ...entry, state: "running" }, created: true };
  }

  async #stop(name: string): Promise<boolean> {
    const found = this.#names.find(name);
    if (found === undefined) return false;
    this.ctx.storage.transactionSync(() => {
      // The mark first: from here on no lookup finds the bucket, whether or not it can be reached.
      this.#names.mark(found, "stopping");
      this.#scheduleRepair();
    });
    await this.#finishStop(found);
    return true;
  }

  async #recheck(name: string, incarnation: string): Promise<boolean> {
    const found = this.#names.find(name);
    if (found?.state !== "running" || found.incarnation !== incarnation) return false;
    try {
      await this.#call(() => this.#bucket(found).totals());
      return false;
    } catch (error) {
      // Whatever else went wrong says nothing of whether the bucket lives.
      if (!(error instanceof Exit) || error.reason !== "noproc") return false;
      this.#names.remove(found);
      return true;
    }
  }

  async #settle(name: string): Promise<void> {
    const found = this.#names.find(name);
    if (found?.state === "starting") await this.#finishStart(found);
    if (found?.state === "stopping") await this.#finishStop(found);
  }

  /** The row and its repair in one transaction, before the object hears of it: an object is never nameless. */
  #insert(name: string, { jurisdiction, metadata }: CreateOptions): Registration {
    const entry: Registration = {
      name,
      incarnation: newIncarnation(),
      id: this.#newId(jurisdiction),
      state: "starting",
      createdAt: this.clock(),
      metadata: metadata ?? null,
    };
    this.ctx.storage.transactionSync(() => {
      this.#names.insert(entry);
      this.#scheduleRepair();
    });
    return entry;
  }

  async #finishStart(entry: Registration, locationHint?: DurableObjectLocationHint): Promise<void> {
    const { name, incarnation, createdAt } = entry;
    const args: BucketArgs = { name, incarnation, createdAt };
    await this.#call(() => this.#bucket(entry, locationHint).start(args));
    // Only now: a name that is looked up leads to a bucket that lives.
    this.#names.mark(entry, "running");
  }

  async #finishStop(entry: Registration): Promise<void> {
    await this.#call(() => this.#bucket(entry).stop("normal"));
    // Only now: a free name has no bucket behind it.
    this.#names.remove(entry);
  }

  /** One alarm looks after all names that are between two states; a thousand creates set it once. */
  #scheduleRepair(): void {
    if (this.timers.due("repair") === undefined) this.timers.sendAfter("repair", "repair", REPAIR_AFTER_MS);
  }

  #bucket({ id }: Registration, locationHint?: DurableObjectLocationHint): DurableObjectStub<Bucket> {
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
    return call(request, { deadlines: this.#deadlines });
  }

  /** A call that changes nothing in a partition that was never used: there the reply is `unused`. */
  async #read<T>(caller: Partition, unused: T, body: () => T | Promise<T>): Promise<Reply<T>> {
    return asReply(async () => {
      if (this.args === undefined) await this.#confirm(caller);
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
        // Partition 0 settles the number for all, before any other partition keeps a name under it.
        if (caller.partition !== 0) {
          agree(caller, await this.#call(() => this.#first().settlePartitions(caller.partitions)));
        }
        if (this.args === undefined)
          this.start({ partition: caller.partition, partitions: caller.partitions });
      }
      agree(caller, (this.args as Partition).partitions);
      return body();
    });
  }

  /** A partition without a number of its own must not be served as an empty registry: partition 0 knows. */
  async #confirm(caller: Partition): Promise<void> {
    if (caller.partition === 0 || this.#confirmed === caller.partitions) return;
    const settled = await this.#call(() => this.#first().settledPartitions());
    if (settled === null) return;
    agree(caller, settled);
    this.#confirmed = settled;
  }

  #first(): DurableObjectStub<Registry> {
    return partitionStub(this.env.REGISTRY, 0);
  }
}

/** The object that keeps a partition. */
export function partitionStub(
  namespace: DurableObjectNamespace<Registry>,
  partition: number,
): DurableObjectStub<Registry> {
  return namespace.get(namespace.idFromName(`partition-${partition}`));
}

function agree(caller: Partition, settled: number): void {
  if (caller.partitions === settled) return;
  throw new KvError(
    "partitions_mismatch",
    `The registry was first used with ${settled} partitions and KV_PARTITIONS is ${caller.partitions}. ` +
      `Set it back to ${settled}: under another number names would be looked for in the wrong place.`,
  );
}

/** Sixty-four random bits: enough to tell apart all buckets that will ever have one name. */
function newIncarnation(): string {
  return crypto.getRandomValues(new Uint8Array(8)).toHex();
}
