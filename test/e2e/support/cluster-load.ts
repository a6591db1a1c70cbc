/** Load on a cluster: writers that go through whichever node is ready, as behind a load balancer, and remember what was acknowledged. */

import { randomUUID } from "node:crypto";
import { setImmediate as pause } from "node:timers/promises";
import { Kv } from "../../../src/client/index.ts";
import { fetchUnchecked } from "./checked-fetch.ts";
import type { Cluster, ClusterNode } from "./cluster.ts";

/** A service that sends each request to a node that is ready, in turns. */
export class Balancer {
  readonly #cluster: Cluster;
  #turn = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Requests go to one node after the other, and each to one that says it is ready. */
  readonly fetch: typeof fetch = async (input, init) => {
    const ready = await this.#cluster.readyNodes();
    this.#turn += 1;
    const node = ready[this.#turn % Math.max(1, ready.length)];
    // As a load balancer without any node says it.
    if (node === undefined) return new Response("no node is ready", { status: 503 });
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    return fetchUnchecked(`${node.http}${pathname}${search}`, init);
  };
}

/** The client of one node, which waits for the node if its engine is just being started again. */
export function through(node: ClusterNode): Kv {
  return new Kv({ url: node.http, retries: 8 });
}

export class Writer {
  readonly #kv: Kv;
  readonly bucket: string;
  /** Increments that were acknowledged, and those that were sent. */
  acknowledged = 0;
  sent = 0;
  /** Errors that the client passed on, after its own retries. */
  readonly failures: unknown[] = [];
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #lastAcknowledged = 0;
  readonly #waiting = new Set<() => void>();

  constructor(kv: Kv, bucket: string) {
    this.#kv = kv;
    this.bucket = bucket;
  }

  /** Begins to count, one increment after the other. */
  start(): this {
    this.#running = this.#run();
    return this;
  }

  /** Resolves when an increment was acknowledged that is sent from now on. */
  async nextAcknowledged(): Promise<void> {
    const from = this.sent;
    while (this.#lastAcknowledged <= from)
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** What is stored now. */
  async stored(kv: Kv = this.#kv): Promise<number> {
    return (await kv.bucket<{ n: number }>(this.bucket).get("n")) ?? 0;
  }

  async #run(): Promise<void> {
    const bucket = this.#kv.bucket<{ n: number }>(this.bucket);
    while (!this.#stop.signal.aborted) {
      this.sent += 1;
      try {
        // With the key the client may send it again when its outcome is unknown, and it is carried out once.
        await bucket.increment("n", { idempotencyKey: randomUUID() });
        this.acknowledged += 1;
        this.#lastAcknowledged = this.sent;
        for (const tell of this.#waiting) tell();
        this.#waiting.clear();
      } catch (error) {
        this.failures.push(error);
        await pause();
      }
    }
  }
}

/** Creates buckets through the balancer, and a writer for each. */
export async function writers(kv: Kv, names: readonly string[]): Promise<Writer[]> {
  for (const name of names) await kv.create(name);
  return names.map((name) => new Writer(kv, name));
}
