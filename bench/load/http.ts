/** Load over HTTP by autocannon: connections that each send a request, wait for the response, and send the next one. */

import autocannon, { type AutocannonRequest } from "autocannon";
import { quantile, type Result } from "./measure.ts";

export type HttpRequest = AutocannonRequest;

export interface HttpLoad {
  readonly origin: string;
  readonly connections: number;
  /** The requests of a connection, by its number. It sends them in rotation. */
  readonly requests: (connection: number) => readonly HttpRequest[];
}

/** Share of the time that comes before what is counted. */
const WARM_UP = 0.2;
/** Seconds without a response that count as an error. */
const TIMEOUT_SECONDS = 5;
const LOOK_MS = 50;

/**
 * Runs the load for `forMs` milliseconds, after a warm-up that is not counted, on the same connections. autocannon counts
 * by the second and has whole milliseconds, so this counts itself.
 * @throws {Error} if a response is missing or its status is not 2xx
 */
export async function measureHttp(load: HttpLoad, forMs: number): Promise<Result> {
  const warmUpMs = forMs * WARM_UP;
  let connection = 0;
  const latencies: number[] = [];
  const run = autocannon({
    url: load.origin,
    connections: load.connections,
    duration: (warmUpMs + forMs) / 1_000,
    sampleInt: LOOK_MS,
    timeout: TIMEOUT_SECONDS,
    setupClient: (client) => {
      // autocannon keeps the bytes in the objects.
      client.setRequests(load.requests(connection).map((request) => ({ ...request })));
      connection += 1;
    },
  });
  // It has prepared the bytes of all requests by now, which takes a while for many connections.
  const from = performance.now() + warmUpMs;
  const until = from + forMs;
  run.on("response", (_client, _status, _bytes, milliseconds) => {
    const now = performance.now();
    if (now >= from && now <= until) latencies.push(milliseconds);
  });
  const { errors, timeouts, non2xx, requests } = await run;
  // Each connection may have one that is still open. autocannon reconnects without a word.
  const lost = Math.max(0, requests.sent - requests.total - load.connections);
  if (errors + non2xx + lost > 0) {
    throw new Error(
      `${errors} errors, ${timeouts} of them timeouts; ${non2xx} responses without 2xx; ${lost} lost requests`,
    );
  }
  if (latencies.length === 0) throw new Error(`no response within ${forMs} ms`);
  latencies.sort((one, other) => one - other);
  return {
    rate: latencies.length / (forMs / 1_000),
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

/** Sends one request that is not measured. @throws {Error} unless its status is 2xx */
export async function askHttp(
  origin: string,
  { method, path, headers = {}, body }: HttpRequest,
): Promise<string> {
  const response = await fetch(origin + path, {
    method,
    headers,
    body: body ?? null,
    signal: AbortSignal.timeout(TIMEOUT_SECONDS * 1_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text;
}
