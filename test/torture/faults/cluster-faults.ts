/** The faults of a cluster, one after the other, in an order that the seed decides. */

import { setTimeout as pause } from "node:timers/promises";
import { S3_BUCKET } from "../../e2e/support/s3/server.ts";
import type { ClusterNode } from "../../e2e/support/cluster.ts";
import type { Random } from "../../support/random.ts";
import type { ClusterTarget } from "./cluster-target.ts";
import { NETWORK_FAULTS, type NetworkFault } from "./proxy.ts";

const FAULTS = [
  "lose",
  "lose",
  "lose",
  "drain",
  "network",
  "network",
  "away",
  "slow",
  "turn",
  "turn",
] as const;

/** Milliseconds between two faults. */
const FAULT_EVERY_MS = 500;
/** For how many leases the store is away at most: for longer than the lease, so that nodes end by themselves, too. */
const LONGEST_AWAY_LEASES = 1.5;
const LONGEST_SLOW_MS = 2_000;
/** Latency of a slow store. */
const SLOW_MS = 60;
/** What a takeover may take beyond the lease. */
const MARGIN_MS = 5_000;
/** A bucket that is called again and again, to find out when it is taken over. */
const PROBE = "probe";

export class ClusterFaults {
  readonly #target: ClusterTarget;
  readonly #random: Random;
  readonly #violations: string[];
  readonly #takeovers: number[] = [];
  readonly counts = new Map<string, number>();

  constructor(target: ClusterTarget, random: Random, violations: string[]) {
    this.#target = target;
    this.#random = random;
    this.#violations = violations;
  }

  /** Makes faults until the end. */
  async run(isOver: () => boolean): Promise<void> {
    await this.#until(() => this.#probe(""));
    while (!isOver()) {
      await this.#make(this.#random.pick<(typeof FAULTS)[number]>(FAULTS));
      await pause(FAULT_EVERY_MS);
    }
  }

  /** For the report. */
  notes(): string {
    const sorted = this.#takeovers.toSorted((a, b) => a - b);
    const [median = 0, longest = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
    const ends = Object.entries(this.#target.ends)
      .map(([why, count]) => `${count} because ${why}`)
      .join(", ");
    return `a cluster of three, its lease ${this.#target.leaseMs} ms, its store ${S3_BUCKET} a stand-in; takeovers of a bucket of a lost node: ${sorted.length}, median ${Math.round(median)} ms, longest ${Math.round(longest)} ms; engines that ended by themselves: ${ends}; records that the store took from an owner that had been replaced: ${this.#target.lateRecords}`;
  }

  async #make(fault: (typeof FAULTS)[number]): Promise<void> {
    const { cluster } = this.#target;
    const random = this.#random;
    const count = (name: string): void => void this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    const nodes = [...cluster.nodes.values()];
    const node = random.pick(nodes);
    switch (fault) {
      case "lose":
        count("node killed, disk deleted");
        return this.#lose(random.below(2) === 0 ? node : await this.#ownerOfProbe(node));
      case "drain":
        count("node drained");
        await this.#target.drain(node);
        return this.#target.startAgain(node.name);
      case "turn":
        this.#target.face(node);
        return;
      case "network": {
        const how = random.pick<NetworkFault>(NETWORK_FAULTS);
        const part = random.below(100);
        const chosen = random.fork();
        for (const proxy of [this.#target.http, this.#target.tcp])
          proxy.spoil(how, () => chosen.below(100) < part);
        return count(`network: ${how}`);
      }
      case "away":
        count("store away");
        cluster.s3.spoil("away");
        await pause(random.below(LONGEST_AWAY_LEASES * this.#target.leaseMs));
        cluster.s3.mend();
        return this.#allReady();
      case "slow":
        count("store slow");
        cluster.s3.latencyMs = SLOW_MS;
        await pause(random.below(LONGEST_SLOW_MS));
        cluster.s3.latencyMs = 0;
        return;
    }
  }

  /** Loses a node, waits until a bucket of its own is served by another, and starts it anew. */
  async #lose(node: ClusterNode): Promise<void> {
    const isOwner = (await this.#ownerOfProbe(undefined))?.name === node.name;
    await this.#target.lose(node);
    const before = this.#target.ended;
    const since = performance.now();
    await this.#until(() => this.#probe("/keys/k"));
    const ms = performance.now() - since;
    // With another engine's end, it is not this node's lease alone that was waited for.
    if (this.#target.ended === before) this.#tookOver(ms, isOwner);
    await this.#target.startAgain(node.name);
  }

  #tookOver(ms: number, isOwner: boolean): void {
    if (isOwner) this.#takeovers.push(ms);
    const { leaseMs } = this.#target;
    if (ms > leaseMs + MARGIN_MS)
      this.#violations.push(
        `${PROBE} was taken over after ${Math.round(ms)} ms, with a lease of ${leaseMs} ms`,
      );
  }

  /** The node that owns the bucket; `otherwise` if that is not known just now. */
  #ownerOfProbe<T>(otherwise: T): Promise<ClusterNode | T> {
    return this.#target.cluster.ownerOf(PROBE).catch(() => otherwise);
  }

  /** Writes to the bucket through a node that was not lost, past the proxy. */
  async #probe(path: string): Promise<boolean> {
    const [any] = this.#target.cluster.nodes.values();
    const signal = AbortSignal.timeout(2_000);
    const asked = fetch(`${any?.http}/v1/buckets/${PROBE}${path}`, {
      method: "PUT",
      signal,
      ...(path !== "" && { body: "1" }),
    });
    return asked.then(
      async (response) => {
        await response.body?.cancel();
        return response.ok;
      },
      () => false,
    );
  }

  /** Waits until all nodes are ready, so that the next fault does not meet a cluster that is not there. */
  async #allReady(): Promise<void> {
    const { cluster } = this.#target;
    await this.#until(async () => (await cluster.readyNodes()).length === cluster.nodes.size);
  }

  async #until(isSo: () => Promise<boolean>): Promise<void> {
    while (!(await isSo())) await pause(50);
  }
}
