/** A bucket with a million keys compared with one of a thousand: both are ours. */

import { askHttp, measureHttp, type HttpRequest } from "../../load/http.ts";
import { startOurs } from "../../servers.ts";
import type { Contestant, Measure, Workload } from "../workload.ts";

const BUCKET = "/v1/buckets/bench";
const VALUE = "v".repeat(100);
const IN_BATCH = 1_000;
const FILLERS = 4;
const CONNECTIONS = 32;
/** Requests that a connection sends in rotation, each for another key. */
const RING = 64;
const PAGE = 100;
/** Odd, and near the golden ratio of 2^32: multiples of it are spread evenly over the keys. */
const SPREAD = 2_654_435_761;

/** The requests, for a key that exists. */
const requests: Readonly<Record<string, (key: string) => HttpRequest>> = {
  get: (key) => ({ method: "GET", path: `${BUCKET}/keys/${key}` }),
  put: (key) => ({ method: "PUT", path: `${BUCKET}/keys/${key}`, body: VALUE }),
  [`list of ${PAGE}`]: (key) => ({ method: "GET", path: `${BUCKET}/keys?limit=${PAGE}&start=${key}` }),
};

export const million: Workload = {
  name: "A million keys",
  unit: "requests/s",
  cases: Object.keys(requests),
  contestants: [bucketOf("a million keys", 1_000_000), bucketOf("a thousand keys", 1_000)],
};

function bucketOf(name: string, keys: number): Contestant {
  return {
    name,
    start: async () => {
      const server = await startOurs();
      const origin = `http://127.0.0.1:${server.http}`;
      await askHttp(origin, { method: "PUT", path: BUCKET });
      await fill(origin, keys);
      const measures = Object.entries(requests).map(([each, request]): [string, Measure] => [
        each,
        (forMs) => {
          const ring = (connection: number): HttpRequest[] =>
            Array.from({ length: RING }, (_, at) => {
              // Pages end before the last key, so that all are full.
              const nth = ((connection * RING + at) * SPREAD) % (keys - PAGE);
              return request(keyOf(nth));
            });
          return measureHttp({ origin, connections: CONNECTIONS, requests: ring }, forMs);
        },
      ]);
      return { measures: Object.fromEntries(measures), stop: () => server.stop() };
    },
  };
}

async function fill(origin: string, keys: number): Promise<void> {
  let from = 0;
  const filler = async (): Promise<void> => {
    while (from < keys) {
      const first = from;
      from += IN_BATCH;
      const puts = Array.from({ length: IN_BATCH }, (_, at) => ({
        op: "put",
        key: keyOf(first + at),
        value: VALUE,
      }));
      await askHttp(origin, { method: "POST", path: `${BUCKET}/batch`, body: JSON.stringify(puts) });
    }
  };
  await Promise.all(Array.from({ length: FILLERS }, filler));
  const { entries } = JSON.parse(await askHttp(origin, { method: "GET", path: BUCKET })) as {
    readonly entries?: number;
  };
  if (entries !== keys) throw new Error(`the bucket has ${entries} keys, not ${keys}`);
}

function keyOf(number: number): string {
  return `key-${String(number).padStart(7, "0")}`;
}
