/** Puts and gets of ten bytes over plain HTTP, by the same load generator for all. */

import { askHttp, measureHttp, type HttpRequest } from "../../load/http.ts";
import { startDenoKv, denoKv } from "../stores/deno.ts";
import { etcd, startEtcd } from "../stores/etcd.ts";
import type { HttpStore } from "../stores/http-store.ts";
import { bareStore, ceilingStore, ourStore } from "../stores/workers.ts";
import { LEVELS, levelCase, type Contestant, type Measure, type Workload } from "../workload.ts";

type Verb = "PUT" | "GET";

/** Requests that a connection sends in rotation, each with a value of its own: SQLite does not write an unchanged row. */
const RING = 8;
const DIGITS = 10;
const FIRST = "9".repeat(DIGITS);
const MANY = 32;

const byLevel = (verb: Verb) =>
  LEVELS.map((connections) => ({ name: levelCase(connections, "connection"), verb, connections }));
const manyBuckets = (["PUT", "GET"] as const).map((verb) => ({ name: verb, verb, connections: MANY }));

interface Case {
  readonly name: string;
  readonly verb: Verb;
  readonly connections: number;
}

export const http: readonly Workload[] = [
  {
    name: "HTTP PUT, one bucket",
    unit: "puts/s",
    cases: byLevel("PUT").map(({ name }) => name),
    contestants: [
      overHttp("ours", () => ourStore(1), byLevel("PUT")),
      overHttp("bare", () => bareStore(1), byLevel("PUT")),
      overHttp("reads the body", () => ceilingStore("body-reader"), byLevel("PUT")),
      overHttp("touches nothing", () => ceilingStore("untouched"), byLevel("PUT")),
      etcdOverHttp(byLevel("PUT")),
      denoOverHttp(byLevel("PUT")),
    ],
  },
  {
    name: "HTTP GET, one bucket",
    unit: "gets/s",
    cases: byLevel("GET").map(({ name }) => name),
    contestants: [
      overHttp("ours", () => ourStore(1), byLevel("GET")),
      overHttp("bare", () => bareStore(1), byLevel("GET")),
      overHttp("touches nothing", () => ceilingStore("untouched"), byLevel("GET")),
      etcdOverHttp(byLevel("GET")),
      denoOverHttp(byLevel("GET")),
    ],
  },
  {
    name: `HTTP, ${MANY} connections over ${MANY} buckets`,
    unit: "requests/s",
    cases: manyBuckets.map(({ name }) => name),
    contestants: [
      overHttp("ours", () => ourStore(MANY), manyBuckets),
      overHttp("bare", () => bareStore(MANY), manyBuckets),
    ],
  },
];

export function etcdOverHttp(cases: readonly Case[]): Contestant {
  return { ...overHttp("etcd over HTTP", startEtcd, cases), peer: etcd };
}

export function denoOverHttp(cases: readonly Case[]): Contestant {
  return { ...overHttp("Deno KV over HTTP", startDenoKv, cases), peer: denoKv };
}

function overHttp(name: string, open: () => Promise<HttpStore>, cases: readonly Case[]): Contestant {
  return {
    name,
    start: async () => {
      const store = await open();
      for (let connection = 0; connection < MANY; connection += 1) {
        await askHttp(store.origin, store.put(FIRST, connection));
      }
      const measures = Object.fromEntries(cases.map((each) => [each.name, measureOf(store, each)]));
      return { measures, stop: () => store.stop() };
    },
  };
}

function measureOf(store: HttpStore, { verb, connections }: Case): Measure {
  const requests = (connection: number): HttpRequest[] =>
    verb === "GET"
      ? [store.get(connection)]
      : Array.from({ length: RING }, (_, at) => store.put(digits(connection * RING + at), connection));
  return async (forMs) => {
    if (verb === "GET") await checkValue(store, (value) => value.length === DIGITS);
    const measured = await measureHttp({ origin: store.origin, connections, requests }, forMs);
    if (verb === "PUT") await checkValue(store, (value) => value.length === DIGITS && value !== FIRST);
    return measured;
  };
}

/** @throws {Error} if a get does not answer what was put */
async function checkValue(store: HttpStore, isRight: (value: string) => boolean): Promise<void> {
  if (store.valueIn === undefined) return;
  const value = store.valueIn(await askHttp(store.origin, store.get(0)));
  if (!isRight(value)) throw new Error(`a get answers ${JSON.stringify(value)}`);
}

function digits(number: number): string {
  return String(number).padStart(DIGITS, "0");
}
