/** What this service is to reach, as ratios of its figures to those of others in the same rounds. */

import { levelCase } from "./workload.ts";

export interface Goal {
  readonly workload: string;
  readonly case: string;
  readonly figure: "rate" | "p99";
  readonly sense: "at least" | "more than" | "at most";
  readonly ratio: number;
  /** The contestant that ours is compared with. */
  readonly to: string;
}

type Bound = Pick<Goal, "figure" | "sense" | "ratio" | "to">;

const atLeast = (ratio: number, to: string): Bound => ({ figure: "rate", sense: "at least", ratio, to });
const fasterThan = (to: string): Bound => ({ figure: "rate", sense: "more than", ratio: 1, to });
const noLaterThan = (to: string): Bound => ({ figure: "p99", sense: "at most", ratio: 1, to });

const bare = "bare";
const deno = "Deno KV over HTTP";
const etcd = "etcd over HTTP";
const connections = (level: number): string => levelCase(level, "connection");
const callers = (level: number): string => levelCase(level, "caller");

/** By workload and case. */
const bounds: Readonly<Record<string, Readonly<Record<string, readonly Bound[]>>>> = {
  "HTTP PUT, one bucket": {
    [connections(1)]: [atLeast(0.95, bare)],
    [connections(32)]: [
      atLeast(1.4, bare),
      atLeast(0.5, "reads the body"),
      fasterThan(deno),
      noLaterThan(bare),
    ],
    [connections(256)]: [atLeast(1.8, bare), atLeast(0.5, "reads the body"), fasterThan(deno)],
  },
  "HTTP GET, one bucket": {
    [connections(1)]: [atLeast(0.95, bare)],
    [connections(32)]: [
      atLeast(1.4, bare),
      atLeast(0.6, "touches nothing"),
      fasterThan(etcd),
      noLaterThan(bare),
    ],
    [connections(256)]: [atLeast(1.8, bare), atLeast(0.6, "touches nothing"), fasterThan(etcd)],
  },
  "HTTP, 32 connections over 32 buckets": {
    PUT: [atLeast(0.95, bare)],
    GET: [atLeast(0.95, bare)],
  },
  "Best client, PUT": {
    [callers(32)]: [atLeast(3, etcd), atLeast(3, deno)],
    [callers(256)]: [atLeast(0.5, "Redis")],
  },
  "Best client, GET": {
    [callers(32)]: [atLeast(2, etcd), atLeast(2, deno)],
    [callers(256)]: [atLeast(0.5, "Redis")],
  },
  "Client over HTTP, PUT": {
    [callers(1)]: [atLeast(0.8, "undici")],
    [callers(32)]: [atLeast(0.8, "undici")],
    [callers(256)]: [atLeast(0.8, "undici")],
  },
  "Client over HTTP, GET": {
    [callers(1)]: [atLeast(0.8, "undici")],
    [callers(32)]: [atLeast(0.8, "undici")],
    [callers(256)]: [atLeast(0.8, "undici")],
  },
  "TCP, one command at a time": {
    [`GET, ${connections(1)}`]: [atLeast(0.95, bare)],
    [`PUT, ${connections(1)}`]: [atLeast(0.95, bare)],
    [`GET, ${connections(32)}`]: [atLeast(1.5, bare)],
    [`PUT, ${connections(32)}`]: [atLeast(1.5, bare), fasterThan(etcd)],
  },
  "Pipelined commands": {
    "TCP PUT, 64 deep": [atLeast(0.9, bare)],
    "WebSocket PUT, frames of 32": [atLeast(0.9, bare)],
  },
  "Create of buckets": { [connections(8)]: [atLeast(0.9, bare)] },
  "Batch of 100 puts": { [connections(4)]: [atLeast(0.8, bare)] },
  "List of 1,000 keys": { [connections(4)]: [atLeast(0.7, bare)] },
  "List of 1,000 keys with values": { [connections(4)]: [atLeast(0.7, bare)] },
  "Value of 25 MiB": { down: [atLeast(0.85, bare)] },
  "A million keys": {
    get: [atLeast(0.9, "a thousand keys")],
    put: [atLeast(0.9, "a thousand keys")],
    "list of 100": [atLeast(0.9, "a thousand keys")],
  },
};

export const goals: readonly Goal[] = Object.entries(bounds).flatMap(([workload, cases]) =>
  Object.entries(cases).flatMap(([name, each]) => each.map((bound) => ({ workload, case: name, ...bound }))),
);
