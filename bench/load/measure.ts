/** Measures throughput and latency of clients. */

import type { Client } from "./client.ts";

export interface Load {
  /** Number of commands in one exchange. */
  readonly batch: number;
  readonly connections: number;
  readonly connect: () => Promise<Client>;
}

export interface Result {
  /** Commands per second. */
  readonly rate: number;
  /** Latency of an exchange, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** Runs the load for `forMs` milliseconds, after a short warm-up that is not counted. */
export async function measure(load: Load, forMs: number): Promise<Result> {
  const clients = await Promise.all(Array.from({ length: load.connections }, () => load.connect()));
  try {
    await run(clients, forMs / 5);
    const started = performance.now();
    const latencies = await run(clients, forMs);
    const seconds = (performance.now() - started) / 1_000;
    latencies.sort((one, other) => one - other);
    return {
      rate: (latencies.length * load.batch) / seconds,
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
    };
  } finally {
    for (const client of clients) client.close();
  }
}

export function median(numbers: readonly number[]): number {
  return quantile(
    numbers.toSorted((one, other) => one - other),
    0.5,
  );
}

async function run(clients: readonly Client[], forMs: number): Promise<number[]> {
  const until = performance.now() + forMs;
  const latencies: number[] = [];
  await Promise.all(
    clients.map(async (client) => {
      for (let sent = performance.now(); sent < until;) {
        await client.exchange();
        const now = performance.now();
        latencies.push(now - sent);
        sent = now;
      }
    }),
  );
  return latencies;
}

/** The quantile of sorted numbers, for example 0.99. */
export function quantile(sorted: readonly number[], at: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? Number.NaN;
}
