/**
 * The directory: a caller's side of the registry. A call of a bucket by name:
 *
 * 1. The name's bucket id comes from the cache of the isolate; otherwise from the registry partition of the name.
 * 2. The bucket is called by its id. The cache may be stale: an id belongs to one incarnation forever, and a bucket that
 *    has ended replies `noproc`, having done nothing.
 * 3. On `noproc` the name leaves the cache, and the registry is asked once. If another incarnation has the name now,
 *    that bucket is called.
 * 4. If the registry still names the bucket that replied `noproc`, the registry is told to probe it, and the caller gets
 *    "no such bucket".
 *
 * Names without a bucket are never cached.
 */

import type { Env } from "../config/env.ts";
import type { Settings } from "../config/settings.ts";
import type { BoundedCache } from "../lib/bounded-cache.ts";
import type { CreateOptions, NamesQuery, Registration } from "../model/registration.ts";
import { answerOf, call, cast, type CallOptions } from "../otp/call.ts";
import { Deadlines } from "../otp/deadlines.ts";
import { Exit, isExit, type Reply } from "../otp/exit.ts";
import { callOf, type BucketCall, type BucketCalls, type GroupReply } from "../rpc/bucket-calls.ts";
import type { BucketStub } from "../rpc/bucket-rpc.ts";
import { partitionOf, type Partition } from "../rpc/partition.ts";
import { followPartition, partitionStub } from "../rpc/partition-stub.ts";
import type { Created, RegistryStub, Stats } from "../rpc/registry-rpc.ts";
import { CallGroup, type CallGroupOptions, type Sender } from "./call-group.ts";
import { Follower, type FollowerCallbacks } from "./follower.ts";

/** The cached location of a bucket. */
export interface Whereabouts {
  /** Kept as an object: parsing one from text costs as much as the rest of a lookup. */
  readonly id: DurableObjectId;
  readonly incarnation: string;
  /** How many calls in a row did not reach the bucket. */
  readonly failures: number;
  /** The calls of this isolate that are on their way to it. */
  readonly group: CallGroup;
}

/** Tell the registry after this many calls in a row that did not reach the bucket. */
const SUSPECT_AFTER = 2;

/** The bucket replied `noproc`. */
const NOPROC = Symbol("noproc");

/** Keeps the Worker running for a promise after the response: the context's `waitUntil`. */
export type KeepAlive = (sent: Promise<unknown>) => void;

/** Options of a call. `repeat: "twice"`: repeat it when the connection breaks, for calls that are safe to repeat. */
export type AskOptions = Pick<CallOptions, "repeat">;
/** Options of a read. It is safe to repeat, so it is repeated, and readers do not notice a bucket's reset. */
export const READ: AskOptions = { repeat: "twice" };

/**
 * A request to a bucket: a call of its stub, or of what groups calls.
 * @param bucket a new stub: a stub stays broken after an exception
 */
export type BucketRequest<T> = (bucket: BucketStub, group: Grouped) => Promise<Reply<T>>;
type Grouped = (call: BucketCall) => Promise<Reply<unknown>>;

/** The calls of a stub, of which the caller knows that method and arguments belong together. */
type AnyCalls = Readonly<Record<BucketCall[0], (...args: readonly unknown[]) => Promise<Reply<unknown>>>>;

/** A call that travels together with others that meet it: see {@link CallGroup}. */
export function together<M extends keyof BucketCalls>(
  method: M,
  ...args: Parameters<BucketCalls[M]>
): BucketRequest<ReturnType<BucketCalls[M]>> {
  const asked = callOf(method, args);
  return (_, group) => group(asked) as Promise<Reply<ReturnType<BucketCalls[M]>>>;
}

/** Calls a bucket. @returns its reply @throws if there is no such bucket */
export type Ask = <T>(request: BucketRequest<T>, options?: AskOptions) => Promise<T>;

/** Like {@link Ask}. @returns undefined if there is no such bucket */
export type AskIfAny = <T>(
  request: BucketRequest<T>,
  options?: AskOptions,
) => Promise<{ readonly reply: T } | undefined>;

export type DirectoryCache = BoundedCache<Whereabouts>;

/**
 * Finds, creates and stops buckets by name. Methods throw an `Exit` if a call fails: the outcome of a write is then
 * unknown.
 *
 * ```ts
 * const directory = directoryOf(env, (sent) => ctx.waitUntil(sent));
 * await directory.create("shopping");
 * const answer = await directory.call("shopping", (bucket) => bucket.totals(), READ);
 * console.log(answer?.reply); // undefined if there is no such bucket
 * ```
 */
export class Directory {
  readonly #env: Pick<Env, "REGISTRY" | "BUCKET">;
  readonly #partitions: number;
  readonly #groups: CallGroupOptions;
  readonly #deadlines: Deadlines;
  readonly #cache: DirectoryCache;
  readonly keepAlive: KeepAlive;
  /** See {@link CreateOptions.near}. */
  readonly #near: (() => DurableObjectLocationHint | undefined) | undefined;

  constructor(
    env: Pick<Env, "REGISTRY" | "BUCKET">,
    settings: Pick<Settings, "partitions" | "callTimeoutMs">,
    cache: DirectoryCache,
    keepAlive: KeepAlive,
    near?: () => DurableObjectLocationHint | undefined,
    groups: Omit<CallGroupOptions, "timeoutMs"> = {},
  ) {
    this.#env = env;
    this.#partitions = settings.partitions;
    this.#groups = { timeoutMs: settings.callTimeoutMs, ...groups };
    this.#deadlines = new Deadlines(settings.callTimeoutMs);
    this.#cache = cache;
    this.keepAlive = keepAlive;
    this.#near = near;
  }

  /**
   * Ensures that there is a bucket of this name. @returns its registration, and whether it is new
   * @throws {KvError} `bucket_exists_differently`, `jurisdiction_unavailable`
   * @throws {Exit} the outcome is unknown; create again, which is safe
   */
  async create(name: string, options: CreateOptions = {}): Promise<Created> {
    const { registry, partition } = this.#partition(name);
    // Not repeated: the second reply would say that the bucket already existed.
    const near = this.#near?.();
    const born = near === undefined ? options : { ...options, near };
    const created = await this.#call(() => registry.create(partition, name, born));
    this.#remember(created.registration);
    return created;
  }

  /** The registration of the running bucket, from the registry, not from the cache; undefined if there is none. */
  async lookup(name: string): Promise<Registration | undefined> {
    const found = await this.#find(name);
    if (found !== undefined) this.#remember(found);
    return found;
  }

  /** Stops the bucket of this name and deletes its data. @returns whether there was one */
  async stop(name: string): Promise<boolean> {
    this.#cache.delete(name);
    const { registry, partition } = this.#partition(name);
    // Not repeated: the second reply would say that there was no bucket.
    return this.#call(() => registry.stopBucket(partition, name));
  }

  /** The number of names in each state, and the work of the sweeps, for each partition. */
  stats(): Promise<Stats[]> {
    return this.#askAll((registry, caller) => registry.stats(caller));
  }

  /** Follows the registry events of one name. */
  follower(name: string, callbacks: FollowerCallbacks): Follower {
    return this.#follower(partitionOf(name, this.#partitions), callbacks, name);
  }

  /** Follows all registry events: one follower for each partition. */
  followers(callbacks: (partition: number) => FollowerCallbacks): Follower[] {
    return Array.from({ length: this.#partitions }, (_, partition) =>
      this.#follower(partition, callbacks(partition)),
    );
  }

  /** Running buckets of all partitions, ordered by name. Wakes no bucket. */
  async list(page: NamesQuery): Promise<Registration[]> {
    const pages = await this.#askAll((registry, caller) => registry.list(caller, page));
    // Each partition returns its first `limit` names, so together they contain the first `limit` of all.
    return pages
      .flat()
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .slice(0, page.limit);
  }

  /**
   * Calls the bucket of a name. If its location is cached, that is one hop.
   *
   * @returns its reply; undefined if there is no such bucket
   * @throws {Exit} if the call failed; never `noproc`
   */
  call<T>(
    name: string,
    request: BucketRequest<T>,
    options?: AskOptions,
  ): Promise<{ readonly reply: T } | undefined> {
    return this.#answer(name, request, options);
  }

  /**
   * Pins a name: the first call goes to the bucket that has the name then, and all later calls to the same bucket, never
   * to its successor (as OTP's `whereis` gives a pid, not a name).
   */
  whereis(name: string): AskIfAny {
    let at: Whereabouts | undefined;
    return async (request, options) => {
      if (at === undefined) {
        const first = await this.#answer(name, request, options);
        at = first?.at;
        return first;
      }
      const reply = await this.#tryCall(name, at, request, options);
      if (reply !== NOPROC) return { reply };
      if (this.#cachedAt(name, at) !== undefined) this.#cache.delete(name);
      return undefined;
    };
  }

  async #answer<T>(
    name: string,
    request: BucketRequest<T>,
    options?: AskOptions,
  ): Promise<{ readonly reply: T; readonly at: Whereabouts } | undefined> {
    const known = this.#cache.get(name) ?? (await this.#locate(name));
    if (known === undefined) return undefined;
    const first = await this.#tryCall(name, known, request, options);
    if (first !== NOPROC) return { reply: first, at: known };

    // `noproc`: that bucket did nothing, so the request can go to the bucket that has the name now.
    this.#cache.delete(name);
    const current = await this.#locate(name);
    if (current === undefined) return undefined;
    if (current.incarnation !== known.incarnation) {
      const second = await this.#tryCall(name, current, request, options);
      if (second !== NOPROC) return { reply: second, at: current };
    }
    // The registry takes the bucket as running, but the bucket says that it has ended: let the registry probe it. Wait
    // for that, so that a caller that gets "no such bucket" can create one at once.
    this.#cache.delete(name);
    await this.#ask(name, (registry, caller) => registry.suspect(caller, name, current.incarnation));
    return undefined;
  }

  async #tryCall<T>(
    name: string,
    whereabouts: Whereabouts,
    request: BucketRequest<T>,
    options?: AskOptions,
  ): Promise<T | typeof NOPROC> {
    const { id, group } = whereabouts;
    const { BUCKET } = this.#env;
    // If the connection breaks, those who wait for this group call no sooner than those in it.
    const send = (calls: readonly BucketCall[]): Promise<Reply<GroupReply>> =>
      answerOf(() => BUCKET.get(id).group(calls));
    try {
      const reply = await this.#call(() => {
        // A new stub for each call: a stub stays broken after an exception.
        const bucket = BUCKET.get(id);
        const alone: Sender["alone"] = ([method, ...args]) =>
          (bucket as unknown as AnyCalls)[method](...args);
        const sender = { alone, send, keepAlive: this.keepAlive };
        return request(bucket, (one) => group.call(one, sender));
      }, options);
      const cached = this.#cachedAt(name, whereabouts);
      if (cached !== undefined && cached.failures > 0) this.#cache.set(name, { ...cached, failures: 0 });
      return reply;
    } catch (error) {
      if (isExit(error, "noproc")) return NOPROC;
      if (error instanceof Exit) this.#failed(name, whereabouts);
      throw error;
    }
  }

  /** Counts a call that did not reach the bucket. After {@link SUSPECT_AFTER} in a row the registry probes the bucket. */
  #failed(name: string, whereabouts: Whereabouts): void {
    const cached = this.#cachedAt(name, whereabouts);
    if (cached === undefined) return;
    const failures = cached.failures + 1;
    this.#cache.set(name, { ...cached, failures });
    if (failures % SUSPECT_AFTER !== 0) return;
    const { partition, registry } = this.#partition(name);
    cast(() => registry.suspect(partition, name, whereabouts.incarnation), this.keepAlive);
  }

  /** The cached location, if it is of the same incarnation: during a call another bucket may have taken the name. */
  #cachedAt(name: string, { incarnation }: Whereabouts): Whereabouts | undefined {
    const cached = this.#cache.get(name);
    return cached?.incarnation === incarnation ? cached : undefined;
  }

  #follower(partition: number, callbacks: FollowerCallbacks, name?: string): Follower {
    const caller = { partition, partitions: this.#partitions };
    return new Follower(
      (since) =>
        this.#call(
          () =>
            followPartition(partitionStub(this.#env.REGISTRY, partition), caller, {
              ...(name === undefined ? {} : { name }),
              ...(since === undefined ? {} : { since }),
            }),
          READ,
        ),
      callbacks,
    );
  }

  #askAll<T>(request: (registry: RegistryStub, caller: Partition) => Promise<Reply<T>>): Promise<T[]> {
    const partitions = this.#partitions;
    return Promise.all(
      Array.from({ length: partitions }, (_, partition) =>
        this.#call(() => request(partitionStub(this.#env.REGISTRY, partition), { partition, partitions }), {
          repeat: "twice",
        }),
      ),
    );
  }

  /** Calls the registry partition of a name; only for calls that are safe to repeat. */
  #ask<T>(
    name: string,
    request: (registry: RegistryStub, caller: Partition) => Promise<Reply<T>>,
  ): Promise<T> {
    return this.#call(
      () => {
        const { registry, partition } = this.#partition(name);
        return request(registry, partition);
      },
      { repeat: "twice" },
    );
  }

  #partition(name: string): { registry: RegistryStub; partition: Partition } {
    const partitions = this.#partitions;
    const partition = partitionOf(name, partitions);
    return { registry: partitionStub(this.#env.REGISTRY, partition), partition: { partition, partitions } };
  }

  #call<T>(request: () => Promise<Reply<T>>, options: Pick<CallOptions, "repeat"> = {}): Promise<T> {
    return call(request, { deadlines: this.#deadlines, ...options });
  }

  async #locate(name: string): Promise<Whereabouts | undefined> {
    const found = await this.#find(name);
    return found && this.#remember(found);
  }

  async #find(name: string): Promise<Registration | undefined> {
    const found = await this.#ask(name, (registry, caller) => registry.lookup(caller, name));
    if (found !== null) return found;
    this.#cache.delete(name);
    return undefined;
  }

  #remember({ name, id, incarnation }: Registration): Whereabouts {
    const known = this.#cache.get(name);
    const group = known?.incarnation === incarnation ? known.group : new CallGroup(this.#groups);
    const whereabouts = { id: this.#env.BUCKET.idFromString(id), incarnation, failures: 0, group };
    this.#cache.set(name, whereabouts);
    return whereabouts;
  }
}
