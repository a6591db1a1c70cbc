/** The text protocol over TCP and WebSocket, and creates: the scenarios of `npm run bench`. */

import { measure } from "../../load/measure.ts";
import { prepare, scenarios } from "../../scenarios.ts";
import { startBare, startOurs, type Server } from "../../servers.ts";
import { levelCase, type Contestant, type Measure, type Workload } from "../workload.ts";
import { etcdOverHttp } from "./http.ts";

/** Scenarios by case. */
type Cases = Readonly<Record<string, string>>;

const oneAtATime: Cases = {
  [`GET, ${levelCase(1, "connection")}`]: "TCP GET, one at a time",
  [`PUT, ${levelCase(1, "connection")}`]: "TCP PUT, one at a time",
  [`GET, ${levelCase(32, "connection")}`]: "TCP GET, 32 connections",
  [`PUT, ${levelCase(32, "connection")}`]: "TCP PUT, 32 connections",
};
const etcdCase = { name: `PUT, ${levelCase(32, "connection")}`, verb: "PUT", connections: 32 } as const;
const pipelined: Cases = same([
  "TCP GET, 64 deep",
  "TCP PUT, 64 deep",
  "WebSocket GET, frames of 32",
  "WebSocket PUT, frames of 32",
]);
const create: Cases = { [levelCase(8, "connection")]: "HTTP create bucket, 8 connections" };

export const text: readonly Workload[] = [
  byScenarios("TCP, one command at a time", "commands/s", oneAtATime, [etcdOverHttp([etcdCase])]),
  byScenarios("Pipelined commands", "commands/s", pipelined),
  byScenarios("Create of buckets", "creates/s", create),
];

function byScenarios(name: string, unit: string, cases: Cases, peers: readonly Contestant[] = []): Workload {
  return {
    name,
    unit,
    cases: Object.keys(cases),
    contestants: [contestant("ours", startOurs, cases), contestant("bare", startBare, cases), ...peers],
  };
}

function contestant(name: Server["name"], open: () => Promise<Server>, cases: Cases): Contestant {
  return {
    name,
    start: async () => {
      const server = await open();
      await prepare(server);
      const measures = Object.entries(cases).map(([each, scenario]): [string, Measure] => [
        each,
        (forMs) => measure(load(scenario)(server), forMs),
      ]);
      return { measures: Object.fromEntries(measures), stop: () => server.stop() };
    },
  };
}

function load(name: string): (typeof scenarios)[number]["load"] {
  const scenario = scenarios.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  return scenario.load;
}

function same(names: readonly string[]): Cases {
  return Object.fromEntries(names.map((name) => [name, name]));
}
