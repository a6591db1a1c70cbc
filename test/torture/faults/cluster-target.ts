/** A cluster under torture: three nodes and their store, behind ports that stay the same and lead to one node after the other. */

import { clusterProgram, Cluster, type ClusterNode } from "../../e2e/support/cluster.ts";
import { Proxy } from "./proxy.ts";
import type { Target } from "./target.ts";

/** Settings under which what the torture looks at happens often. */
const ENVIRONMENT = {
  KV_EVENT_LOG: "100000",
  KV_CHANGE_LOG: "100000",
  KV_HEARTBEAT_MS: "1000",
};
/** What the lease of 20 s is divided by. */
const TIME_DIVISOR = 5;
export const LEASE_MS = 20_000 / TIME_DIVISOR;

const NAMES = ["a", "b", "c"];

const running = new Set<ClusterNode>();

/** Kills every node that a torture of this process has started. */
export function endAllNodes(): void {
  for (const { pid } of running) process.kill(-pid, "SIGKILL");
}

export class ClusterTarget implements Target {
  readonly cluster: Cluster;
  readonly http: Proxy;
  readonly tcp: Proxy;
  /** There is none for a cluster. */
  readonly hasShim = false;
  readonly fsyncFailsSince = undefined;
  readonly up = Promise.resolve();
  readonly #violations: string[];
  /** Why engines ended by themselves, and how often. */
  readonly ends = { "their lease had ended": 0, "they crashed": 0 };

  private constructor(cluster: Cluster, http: Proxy, tcp: Proxy, violations: string[]) {
    this.cluster = cluster;
    this.http = http;
    this.tcp = tcp;
    this.#violations = violations;
  }

  /** @param violations what is found is added */
  static async start(violations: string[]): Promise<ClusterTarget> {
    const cluster = await Cluster.start(NAMES, { timeDivisor: TIME_DIVISOR, environment: ENVIRONMENT });
    for (const node of cluster.nodes.values()) running.add(node);
    const target = new ClusterTarget(cluster, await Proxy.start(), await Proxy.start(), violations);
    target.face(cluster.node("a"));
    return target;
  }

  get url(): string {
    return `http://127.0.0.1:${this.http.port}`;
  }

  /** Leads new connections to this node; those that are open stay where they are. */
  face(node: ClusterNode): void {
    this.http.target = node.httpPort;
    this.tcp.target = node.tcpPort;
  }

  /** The other nodes that run. */
  others(than: ClusterNode): ClusterNode[] {
    return [...this.cluster.nodes.values()].filter(({ name }) => name !== than.name);
  }

  /** Kills a node with -9 and deletes its disk. New connections go to another one. */
  async lose(node: ClusterNode): Promise<void> {
    this.#turnFrom(node);
    await this.cluster.lose(node.name);
    this.#ended(node);
  }

  /** Stops a node as an operator does. */
  async drain(node: ClusterNode): Promise<void> {
    this.#turnFrom(node);
    const { code } = await node.stop();
    if (code !== 0) this.#violations.push(`node ${node.name} was stopped in order, and ended with ${code}`);
    this.#ended(node);
  }

  /** Starts a node that was lost or stopped. */
  async startAgain(name: string): Promise<void> {
    running.add(await this.cluster.startNode(name));
  }

  moveClock(): void {
    throw new Error(`the engine of ${clusterProgram()} has its own clock`);
  }

  async end(): Promise<void> {
    for (const node of this.cluster.nodes.values()) this.#ended(node);
    await this.cluster.stop();
    this.http.stop();
    this.tcp.stop();
  }

  #turnFrom(node: ClusterNode): void {
    const [other] = this.others(node);
    if (other !== undefined && this.http.target === node.httpPort) this.face(other);
  }

  #ended(node: ClusterNode): void {
    running.delete(node);
    const count = (what: RegExp): number => node.output().match(what)?.length ?? 0;
    const lapsed = count(/leaving the cluster: the lease lapsed/g);
    this.ends["their lease had ended"] += lapsed;
    this.ends["they crashed"] += Math.max(0, count(/The engine ended by itself/g) - lapsed);
  }
}
