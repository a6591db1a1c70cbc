/** `durable-kv cluster status`: nodes, who owns how many buckets, and the store. */

import { leasesIn } from "./leases.ts";
import type { Lease } from "./layout.ts";
import { parse, STORE_HELP, STORE_OPTIONS, storeOf } from "./options.ts";
import { ownersIn } from "./owners.ts";
import { askReady } from "./ready.ts";
import { registrations } from "./registration.ts";
import { Store } from "./store.ts";

/** One node, as `--json` prints it, one object per line. */
export interface NodeStatus {
  readonly node: string;
  /** `host:port` for other nodes. */
  readonly peer: string;
  /**
   * `ready`; `draining`: hands its buckets over; `not ready`: holds a lease, and does not answer here; `gone`: has no lease;
   * `free`: buckets that no node has now, and the next one that is asked for them takes.
   */
  readonly state: "ready" | "draining" | "not ready" | "gone" | "free";
  readonly buckets: number;
  /** Partitions of the registry. */
  readonly partitions: number;
  /** Null if the node did not say. */
  readonly version: string | null;
  readonly workerd: string | null;
}

function usage(name: string): string {
  return `Usage: ${name} [options]

Shows the nodes of a cluster, and how many buckets and registry partitions each owns. It reads the store, a small
object for each bucket, and asks each node whether it is ready.

${STORE_HELP}
  --json              one JSON object per node and line
  --help              show this help

Exit code: 0, or 1 if no node is ready or the store does not answer.
`;
}

/** @returns the exit code @throws {ClusterError} */
export async function statusCommand(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  name: string,
): Promise<number> {
  const values = parse(args, { ...STORE_OPTIONS, json: { type: "boolean", default: false } } as const, name);
  if (values === "help") {
    process.stdout.write(usage(name));
    return 0;
  }
  const store = new Store(storeOf(values, env));
  const nodes = await statusOf(store, Date.now());
  process.stdout.write(
    values.json ? nodes.map((node) => `${JSON.stringify(node)}\n`).join("") : table(store, nodes),
  );
  return nodes.some(({ state }) => state === "ready") ? 0 : 1;
}

/** @param now the time, in milliseconds of the epoch @throws {ClusterError} if the store does not answer */
export async function statusOf(store: Store, now: number): Promise<readonly NodeStatus[]> {
  const [leases, owned, registered] = await Promise.all([
    leasesIn(store),
    ownersIn(store),
    registrations(store),
  ]);
  const known = leases.map(async (lease) => {
    const { version = null, workerd = null } = registered.get(lease.address) ?? {};
    const { buckets = 0, partitions = 0 } = owned.get(lease.node) ?? {};
    const state = await stateOf(lease, now);
    return { node: lease.node, peer: lease.address, state, buckets, partitions, version, workerd };
  });
  const isKnown = new Set(leases.map(({ node }) => node));
  // Owners without a lease: the next call of one of their buckets moves it to another node. A node that left in order has
  // left no name.
  const gone = [...owned]
    .filter(([node]) => !isKnown.has(node))
    .map(([node, counts]) => ({
      node,
      peer: "",
      state: node === "" ? ("free" as const) : ("gone" as const),
      ...counts,
      ...UNKNOWN,
    }));
  return [...(await Promise.all(known)), ...gone];
}

const UNKNOWN = { version: null, workerd: null };

async function stateOf({ address, expiresMs, draining }: Lease, now: number): Promise<NodeStatus["state"]> {
  if (expiresMs <= now) return "gone";
  if (draining) return "draining";
  return (await askReady(address)) ? "ready" : "not ready";
}

function table(store: Store, nodes: readonly NodeStatus[]): string {
  const rows = nodes.map(({ node, peer, state, buckets, partitions, version, workerd }) => [
    node.slice(0, 8),
    state,
    String(buckets),
    String(partitions),
    peer,
    version === null ? "" : `${version} (workerd ${workerd})`,
  ]);
  const lines = [["node", "state", "buckets", "partitions", "address", "version"], ...rows];
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return `${text.join("\n")}\n\nstore ${store.url} at ${store.options.endpoint}: it answers\n`;
}
