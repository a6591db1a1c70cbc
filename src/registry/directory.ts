/** The registry from its caller's side: which partition, which bucket, and what was learnt before. */

import type { Bucket } from "../bucket/bucket.ts";
import type { Env } from "../env.ts";
import { call, cast } from "../otp/call.ts";
import { Deadlines } from "../otp/deadlines.ts";
import { Exit, type Reply } from "../otp/exit.ts";
import type { Settings } from "../settings.ts";
import type { BoundedCache } from "../bounded-cache.ts";
import type { Registration } from "./names.ts";
import { partitionOf, type Partition } from "./partition.ts";
import { partitionStub, type Created, type CreateOptions, type Registry } from "./registry.ts";

/** Where a bucket was last seen. */
export interface Whereabouts {
  /** Kept as an object: to make one from its text costs as much as the rest of a lookup. */
  readonly id: DurableObjectId;
  readonly incarnation: string;
}

export type DirectoryCache = BoundedCache<Whereabouts>;

export interface ListPage {
  readonly prefix: string;
  /** Only names behind this one. */
  readonly after: string;
  readonly limit: number;
}

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
  readonly #keepAlive: (sent: Promise<unknown>) => void;

  constructor(
    env: Pick<Env, "REGISTRY" | "BUCKET">,
    settings: Pick<Settings, "partitions" | "callTimeoutMs">,
    cache: DirectoryCache,
    keepAlive: (sent: Promise<unknown>) => void,
  ) {
    this.#env = env;
    this.#partitions = settings.partitions;
    this.#deadlines = new Deadlines(settings.callTimeoutMs);
    this.#cache = cache;
    this.#keepAlive = keepAlive;
  }

  /**
   * Ensures that there is a bucket of this name.
   * @throws {Exit} outcome unknown: to create again is safe.
   */
  async create(name: string, options: CreateOptions = {}): Promise<Created> {
    const created = await this.#ask(name, (registry, caller) => registry.create(caller, name, options));
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
    return this.#ask(name, (registry, caller) => registry.stopBucket(caller, name));
  }

  /** Running names in order, across all partitions. Wakes no bucket. */
  async list(page: ListPage): Promise<Registration[]> {
    const partitions = this.#partitions;
    const pages = await Promise.all(
      Array.from({ length: partitions }, (_, partition) =>
        this.#call(() => partitionStub(this.#env.REGISTRY, partition).list({ partition, partitions }, page)),
      ),
    );
    // Each page is in order and at least as long as what is asked for, so nothing of the result is missing.
    return pages
      .flat()
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .slice(0, page.limit);
  }

  /**
   * Calls the bucket of this name: one hop where its whereabouts are known.
   *
   * @returns its reply; undefined if there is no such bucket.
   * @throws {Exit} as the call did; never `noproc`.
   */
  async call<T>(
    name: string,
    request: (bucket: DurableObjectStub<Bucket>) => Promise<Reply<T>>,
  ): Promise<T | undefined> {
    const known = this.#cache.get(name) ?? (await this.#locate(name));
    if (known === undefined) return undefined;
    const first = await this.#tryCall(known, request);
    if (first !== NOPROC) return first;

    // Nothing was done there, so the request may go to whoever has the name now.
    this.#cache.delete(name);
    const current = await this.#locate(name);
    if (current === undefined) return undefined;
    if (current.incarnation !== known.incarnation) {
      const second = await this.#tryCall(current, request);
      if (second !== NOPROC) return second;
    }
    // The registry holds a bucket to be running that says itself that it is not: let it see for itself.
    this.#cache.delete(name);
    const { partition, registry } = this.#partition(name);
    cast(() => registry.suspect(partition, name, current.incarnation), this.#keepAlive);
    return undefined;
  }

  /**
   * Opens a WebSocket to the bucket's own object.
   * @returns the other end, not yet accepted; undefined if there is no such bucket.
   */
  upgrade(name: string, path: "/connect" | "/subscribe"): Promise<WebSocket | undefined> {
    return this.call(name, async (bucket): Promise<Reply<WebSocket>> => {
      const { webSocket } = await bucket.fetch(`http://bucket${path}`, { headers: { Upgrade: "websocket" } });
      return webSocket === null ? { exit: "noproc" } : { reply: webSocket };
    });
  }

  async #tryCall<T>(
    { id }: Whereabouts,
    request: (bucket: DurableObjectStub<Bucket>) => Promise<Reply<T>>,
  ): Promise<T | typeof NOPROC> {
    try {
      // A new stub for each call: after an exception an old one stays broken.
      return await this.#call(() => request(this.#env.BUCKET.get(id)));
    } catch (error) {
      if (error instanceof Exit && error.reason === "noproc") return NOPROC;
      throw error;
    }
  }

  #ask<T>(
    name: string,
    request: (registry: DurableObjectStub<Registry>, caller: Partition) => Promise<Reply<T>>,
  ): Promise<T> {
    const { registry, partition } = this.#partition(name);
    return this.#call(() => request(registry, partition));
  }

  #partition(name: string): { registry: DurableObjectStub<Registry>; partition: Partition } {
    const partitions = this.#partitions;
    const partition = partitionOf(name, partitions);
    return { registry: partitionStub(this.#env.REGISTRY, partition), partition: { partition, partitions } };
  }

  #call<T>(request: () => Promise<Reply<T>>): Promise<T> {
    return call(request, { deadlines: this.#deadlines });
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
    const whereabouts = { id: this.#env.BUCKET.idFromString(id), incarnation };
    this.#cache.set(name, whereabouts);
    return whereabouts;
  }
}

const NOPROC = Symbol("noproc");
