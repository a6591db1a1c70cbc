/** The neighbour: a well-behaved client that measures the latency of small puts on its own bucket. */

import { Agent } from "node:http";
import { BOUNDS } from "./limits.ts";
import { ask } from "./http.ts";
import { quantile } from "../load/measure.ts";

const EVERY_MS = 20;
/** A put without a response in this time has failed. */
const PUT_TIMEOUT_MS = 10_000;
const BUCKET = "/v1/buckets/neighbour";

export interface Service {
  /** Number of puts, including failed ones. */
  readonly puts: number;
  /** Latency in milliseconds. A failed put counts with the time until it failed. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Share of the time spent in puts that exceeded the bound for p99. */
  readonly stalled: number;
  readonly errors: number;
  readonly firstError: string | undefined;
}

interface Put {
  readonly at: number;
  readonly ms: number;
  readonly error: string | undefined;
}

export class Neighbour {
  readonly #port: number;
  readonly #token: string | undefined;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #puts: Put[] = [];
  #stopped = false;

  constructor(port: number, token: string | undefined) {
    this.#port = port;
    this.#token = token;
  }

  /** Sends puts until {@link stop}. */
  async run(): Promise<void> {
    await this.#ask("PUT", BUCKET, "");
    for (let count = 0; !this.#stopped; count += 1) {
      const at = performance.now();
      const error = await this.#ask("PUT", `${BUCKET}/keys/milk`, String(count));
      const ms = performance.now() - at;
      this.#puts.push({ at, ms, error });
      await new Promise((wake) => {
        setTimeout(wake, Math.max(1, EVERY_MS - ms));
      });
    }
    this.#agent.destroy();
  }

  /** Ends {@link run} after the current put. */
  stop(): void {
    this.#stopped = true;
  }

  /** Statistics of the puts that began in this period. */
  service(from: number, to: number): Service {
    const puts = this.#puts.filter(({ at }) => at >= from && at < to);
    const latencies = puts.map(({ ms }) => ms).toSorted((one, other) => one - other);
    const slow = latencies.filter((ms) => ms >= BOUNDS.p99).reduce((sum, ms) => sum + ms, 0);
    const failed = puts.filter(({ error }) => error !== undefined);
    const last = puts.at(-1);
    return {
      puts: puts.length,
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      max: latencies.at(-1) ?? Number.NaN,
      stalled: last === undefined ? 0 : slow / Math.max(to - from, last.at + last.ms - from),
      errors: failed.length,
      firstError: failed[0]?.error,
    };
  }

  /** @returns the error, if any */
  async #ask(method: string, path: string, body: string): Promise<string | undefined> {
    const signal = AbortSignal.timeout(PUT_TIMEOUT_MS);
    try {
      const { status, text } = await ask({
        port: this.#port,
        token: this.#token,
        method,
        path,
        body,
        agent: this.#agent,
        signal,
      });
      return status < 300 ? undefined : `${status} ${text.slice(0, 200)}`;
    } catch (error) {
      return signal.aborted ? `no answer in ${PUT_TIMEOUT_MS / 1_000} s` : (error as Error).message;
    }
  }
}
