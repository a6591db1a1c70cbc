/** Batches, lists and the largest value: the measurements of `npm run bench:values`. */

import { startBare, startOurs, type Server } from "../../servers.ts";
import type { Bench } from "../../values/bench.ts";
import { large } from "../../values/large.ts";
import { operations } from "../../values/operations.ts";
import { pages } from "../../values/pages.ts";
import { levelCase, type Contestant, type Workload } from "../workload.ts";

/** These benches open this many connections. */
const CONNECTIONS = levelCase(4, "connection");
const [batch] = operations;
const [withoutValues, withValues] = pages;

export const values: readonly Workload[] = [
  byBench("Batch of 100 puts", batch, { name: CONNECTIONS, figure: "puts/s" }),
  byBench("List of 1,000 keys", withoutValues, { name: CONNECTIONS, figure: "pages/s" }),
  byBench("List of 1,000 keys with values", withValues, { name: CONNECTIONS, figure: "pages/s" }),
  byBench("Value of 25 MiB", large, { name: "down", figure: "MiB/s down" }),
];

interface Case {
  readonly name: string;
  /** The figure of the bench, which is also the unit. */
  readonly figure: string;
}

function byBench(name: string, bench: Bench, only: Case): Workload {
  return {
    name,
    unit: only.figure,
    cases: [only.name],
    contestants: [contestant("ours", startOurs, bench, only), contestant("bare", startBare, bench, only)],
  };
}

function contestant(name: Server["name"], open: () => Promise<Server>, bench: Bench, only: Case): Contestant {
  return {
    name,
    start: async () => {
      const server = await open();
      const prepared = await bench.prepare(server);
      const measure = async (forMs: number): Promise<{ readonly rate: number }> => {
        const rate = (await prepared.measure(forMs))[only.figure];
        if (rate === undefined) throw new Error(`${bench.name} has no ${only.figure}`);
        return { rate };
      };
      return { measures: { [only.name]: measure }, stop: () => server.stop() };
    },
  };
}
