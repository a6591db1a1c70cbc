/** The registry from its caller's side: which partition, which bucket, and what was learnt before. */

import type { Env } from "../config/env.ts";
import type { Settings } from "../config/settings.ts";
import type { BoundedCache } from "../lib/bounded-cache.ts";
import type { CreateOptions, NamesQuery, Registration } from "../model/registration.ts";
import { call, cast, type CallOptions } from "../otp/call.ts";
import { Deadlines } from "../otp/deadlines.ts";
import { Exit, isExit, type Reply } from "../otp/exit.ts";
import type { BucketStub } from "../rpc/bucket-rpc.ts";
import { partitionOf, type Partition } from "../rpc/partition.ts";
import { followPartition, partitionStub } from "../rpc/partition-stub.ts";
import type { Created, RegistryStub, Stats } from "../rpc/registry-rpc.ts";
import { Follower, type Heard } from "./follower.ts";

/** Where a bucket was last seen. */
export interface Whereabouts {
  /** Kept as an object: to make one from its text costs as much as the rest of a lookup. */
  readonly id: DurableObjectId;
  readonly incarnation: string;
  /** Calls in a row that did not reach it. */
  readonly failures: number;
}

/** Calls in a row that do not reach a bucket before the registry is told. */
const SUSPECT_AFTER = 2;

/** Lets what was sent without waiting go on when the request has been answered: the context's `waitUntil`. */
export type KeepAlive = (sent: Promise<unknown>) => void;

/** How a bucket is asked: `repeat: "once"` if asking again is safe when the connection breaks. */
export type AskOptions = Pick<CallOptions, "repeat">;
/** A read changes nothing and has no unknown outcome: it is repeated once, so that no reader sees a bucket's reset. */
export const READ: AskOptions = { repeat: "once" };

/** Asks a bucket. @returns its reply @throws if there is no such bucket */
export type Ask = <T>(request: (bucket: BucketStub) => Promise<Reply<T>>, options?: AskOptions) => Promise<T>;

/** As {@link Ask}. @returns undefined if there is no such bucket */
export type BucketCall = <T>(
  request: (bucket: BucketStub) => Promise<Reply<T>>,
  options?: AskOptions,
) => Promise<{ readonly reply: T } | undefined>;

export type DirectoryCache = BoundedCache<Whereabouts>;

/**
 * Finds buckets by name. The cache is an isolate's and may be as stale as it likes: a bucket's id belongs to
 * one incarnation only, and a bucket that has ended answers `noproc`. Whoever hears that drops what it
 * knew, asks the registry once, and goes on. Names that lead nowhere are never kept.
 */
export class Directory {
  readonly #env: Pick<Env, "REGISTRY" | "BUCKET">;
  readonly #partitions: number;
  readonly #deadlines: Deadlines;
  readonly #cache: DirectoryCache;
  readonly keepAlive: KeepAlive;

  constructor(
    env: Pick<Env, "REGISTRY" | "BUCKET">,
    settings: Pick<Settings, "partitions" | "callTimeoutMs">,
    cache: DirectoryCache,
    keepAlive: KeepAlive,
  ) {
    this.#env = env;
    this.#partitions = settings.partitions;
    this.#deadlines = new Deadlines(settings.callTimeoutMs);
    this.#cache = cache;
    this.keepAlive = keepAlive;
  }

  /**
   * Ensures that there is a bucket of this name.
   * @throws {Exit} outcome unknown: to create again is safe.
   */
  async create(name: string, options: CreateOptions = {}): Promise<Created> {
    const { registry, partition } = this.#partition(name);
    // Not repeated: the second answer would be that the bucket was there already.
    const created = await this.#call(() => registry.create(partition, name, options));
    this.#remember(created.registration);
    return created;
  }

  /** The running bucket of this name, from the registry itself. */
  async lookup(name: string): Promise<Registration | undefined> {
    const found = await this.#find(name);
    if (found !== undefined) this.#remember(found);
    return found;
  }

  /** Ends the bucket of this name. @returns whether there was one. */
  async stop(name: string): Promise<boolean> {
    this.#cache.delete(name);
    const { registry, partition } = this.#partition(name);
    // Not repeated: the second answer would be that there is none.
    return this.#call(() => registry.stopBucket(partition, name));
  }

  /** How many names there are in each state, and what the sweeps have done, partition by partition. */
  stats(): Promise<Stats[]> {
    return this.#askAll((registry, caller) => registry.stats(caller));
  }

  /** Follows the events of the partition that has the name; only those of the name. */
  follower(name: string, heard: Heard): Follower {
    return this.#follower(partitionOf(name, this.#partitions), heard, name);
  }

  /** Follows all events, partition by partition. */
  followers(heard: (partition: number) => Heard): Follower[] {
    return Array.from({ length: this.#partitions }, (_, partition) =>
      this.#follower(partition, heard(partition)),
    );
  }

  /** Names of living buckets in order, across all partitions. Wakes no bucket. */
  async list(page: NamesQuery): Promise<Registration[]> {
    const pages = await this.#askAll((registry, caller) => registry.list(caller, page));
    // Each page is in order and at least as long as what is asked for, so nothing of the result is missing.
    return pages
      .flat()
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .slice(0, page.limit);
  }

  /**
   * Calls whichever bucket has the name: one hop where its whereabouts are known.
   *
   * @returns its reply; undefined if there is no such bucket
   * @throws {Exit} as the call did; never `noproc`.
   */
  call<T>(
    name: string,
    request: (bucket: BucketStub) => Promise<Reply<T>>,
    options?: AskOptions,
  ): Promise<{ readonly reply: T } | undefined> {
    return this.#answer(name, request, options);
  }

  /**
   * The bucket that has the name when it is asked first, and never its successor: for what takes more than one call,
   * and would be half of one and half of another (OTP's `whereis`: a pid, not a name).
   */
  whereis(name: string): BucketCall {
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
    request: (bucket: BucketStub) => Promise<Reply<T>>,
    options?: AskOptions,
  ): Promise<{ readonly reply: T; readonly at: Whereabouts } | undefined> {
    const known = this.#cache.get(name) ?? (await this.#locate(name));
    if (known === undefined) return undefined;
    const first = await this.#tryCall(name, known, request, options);
    if (first !== NOPROC) return { reply: first, at: known };

    // Nothing was done there, so the request may go to whoever has the name now.
    this.#cache.delete(name);
    const current = await this.#locate(name);
    if (current === undefined) return undefined;
    if (current.incarnation !== known.incarnation) {
      const second = await this.#tryCall(name, current, request, options);
      if (second !== NOPROC) return { reply: second, at: current };
    }
    // The registry holds a bucket to be living that says itself that it is not: let it see for itself. Waited
    // for, so that whoever is told that there is no bucket can create one.
    this.#cache.delete(name);
    await this.#ask(name, (registry, caller) => registry.suspect(caller, name, current.incarnation));
    return undefined;
  }

  async #tryCall<T>(
    name: string,
    whereabouts: Whereabouts,
    request: (bucket: BucketStub) => Promise<Reply<T>>,
    options?: AskOptions,
  ): Promise<T | typeof NOPROC> {
    const { id } = whereabouts;
    try {
      // A new stub for each call: after an exception an old one stays broken.
      const reply = await this.#call(() => request(this.#env.BUCKET.get(id)), options);
      const cached = this.#cachedAt(name, whereabouts);
      if (cached !== undefined && cached.failures > 0) this.#cache.set(name, { ...cached, failures: 0 });
      return reply;
    } catch (error) {
      if (isExit(error, "noproc")) return NOPROC;
      if (error instanceof Exit) this.#failed(name, whereabouts);
      throw error;
    }
  }

  /** The bucket was not reached. If that goes on, the registry is told, and probes it at once. */
  #failed(name: string, whereabouts: Whereabouts): void {
    const cached = this.#cachedAt(name, whereabouts);
    if (cached === undefined) return;
    const failures = cached.failures + 1;
    this.#cache.set(name, { ...cached, failures });
    if (failures % SUSPECT_AFTER !== 0) return;
    const { partition, registry } = this.#partition(name);
    cast(() => registry.suspect(partition, name, whereabouts.incarnation), this.keepAlive);
  }

  /** What the cache has of this incarnation: by the time that a call ends the name may be another's. */
  #cachedAt(name: string, { incarnation }: Whereabouts): Whereabouts | undefined {
    const cached = this.#cache.get(name);
    return cached?.incarnation === incarnation ? cached : undefined;
  }

  #follower(partition: number, heard: Heard, name?: string): Follower {
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
      heard,
    );
  }

  #askAll<T>(request: (registry: RegistryStub, caller: Partition) => Promise<Reply<T>>): Promise<T[]> {
    const partitions = this.#partitions;
    return Promise.all(
      Array.from({ length: partitions }, (_, partition) =>
        this.#call(() => request(partitionStub(this.#env.REGISTRY, partition), { partition, partitions }), {
          repeat: "once",
        }),
      ),
    );
  }

  /** Asks the partition of a name something that may be asked twice. */
  #ask<T>(
    name: string,
    request: (registry: RegistryStub, caller: Partition) => Promise<Reply<T>>,
  ): Promise<T> {
    return this.#call(
      () => {
        const { registry, partition } = this.#partition(name);
        return request(registry, partition);
      },
      { repeat: "once" },
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
    const whereabouts = { id: this.#env.BUCKET.idFromString(id), incarnation, failures: 0 };
    this.#cache.set(name, whereabouts);
    return whereabouts;
  }
}

const NOPROC = Symbol("noproc");
