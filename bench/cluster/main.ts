/**
 * `npm run bench:cluster`: clusters of two and three nodes beside a single server, on this machine and in turns, with a store
 * that answers at once, after 10 ms, and after 30 ms. The store is the tests' stand-in, in this process: read the ratios.
 */

import { Cluster } from "../../test/e2e/support/cluster.ts";
import { isWholeResponse, rawClient } from "../load/client.ts";
import { measure, median, type Load, type Result } from "../load/measure.ts";
import { startOurs } from "../servers.ts";

const ROUNDS = 5;
const ROUND_MS = 1_000;
/** Milliseconds before each answer of the store. */
const LATENCIES = [0, 10, 30] as const;
const BUCKETS = 32;

/** HTTP ports, of which the connections take turns. */
type Ports = readonly number[];

interface Contestant {
  readonly name: string;
  readonly ports: Ports;
  /** Makes the store as slow as it is to be. */
  readonly begin: () => void;
}

interface Case {
  readonly name: string;
  readonly method: "GET" | "PUT";
  readonly connections: number;
  readonly buckets: number;
}

const CASES: readonly Case[] = [
  { name: "PUT, one at a time", method: "PUT", connections: 1, buckets: 1 },
  { name: "PUT, 32 connections, one bucket", method: "PUT", connections: 32, buckets: 1 },
  { name: "PUT, 32 connections, 32 buckets", method: "PUT", connections: 32, buckets: BUCKETS },
  { name: "GET, 32 connections, one bucket", method: "GET", connections: 32, buckets: 1 },
];

let written = 0;

const single = await startOurs();
// With the real lease: a shorter one ends an engine that is busy for too long.
const clusters = [
  await Cluster.start(["a", "b"], { timeDivisor: 1, prefix: "two" }),
  await Cluster.start(["a", "b", "c"], { timeDivisor: 1, prefix: "three" }),
];
const portsOf = ({ nodes }: Cluster): Ports => [...nodes.values()].map(({ httpPort }) => httpPort);
const atOnce = (): void => {
  for (const { s3 } of clusters) s3.latencyMs = 0;
};
const contestants: Contestant[] = [
  { name: "one server", ports: [single.http], begin: atOnce },
  ...clusters.flatMap((cluster) => {
    const ports = portsOf(cluster);
    return LATENCIES.map((ms) => ({
      name: `${ports.length} nodes, store ${ms} ms`,
      ports,
      begin: () => void (cluster.s3.latencyMs = ms),
    }));
  }),
];

try {
  for (const ports of [[single.http], ...clusters.map(portsOf)]) {
    for (let n = 0; n < BUCKETS; n += 1) await prepare(ports[n % ports.length] ?? 0, n);
  }
  for (const each of CASES) console.table(await run(each));
} finally {
  await single.stop();
  for (const cluster of clusters) await cluster.stop();
}
process.exit();

/** A bucket with a value, created through the node that is to own it. */
async function prepare(port: number, n: number): Promise<void> {
  const bucket = `http://127.0.0.1:${port}/v1/buckets/bench-${n}`;
  for (const [url, body] of [
    [bucket, null],
    [`${bucket}/keys/key`, "0"],
  ] as const) {
    const { status } = await fetch(url, { method: "PUT", body });
    if (status >= 300) throw new Error(`${url} answered ${status}`);
  }
}

async function run(each: Case): Promise<Record<string, Record<string, string>>> {
  const rounds = new Map<string, Result[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    // Alternate the order, so that a machine that slows down favours none.
    for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed()) {
      contestant.begin();
      rounds.get(contestant.name)?.push(await measure(load(contestant, each), ROUND_MS));
    }
  }
  atOnce();
  const [one = []] = rounds.values();
  return Object.fromEntries(
    [...rounds].map(([name, results]) => [
      `${each.name}: ${name}`,
      {
        "requests/s": median(results.map(({ rate }) => rate)).toFixed(0),
        "p50 ms": median(results.map(({ p50 }) => p50)).toFixed(1),
        "to one server": median(
          results.map(({ rate }, round) => rate / (one[round]?.rate ?? Number.NaN)),
        ).toFixed(2),
      },
    ]),
  );
}

function load({ ports }: Contestant, { method, connections, buckets }: Case): Load {
  let opened = 0;
  return {
    batch: 1,
    connections,
    connect: () => {
      const port = ports[opened % ports.length] ?? 0;
      const path = `/v1/buckets/bench-${opened % buckets}/keys/key`;
      opened += 1;
      const request = (): string => {
        written += 1;
        const body = method === "PUT" ? String(written).padStart(10, "0") : "";
        return `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      };
      return rawClient(port, request, isWholeResponse);
    },
  };
}
