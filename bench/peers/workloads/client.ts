/** Puts and gets of ten bytes through the best client that each store has, by many callers in one process. */

import { measure } from "../../load/measure.ts";
import { startOurs } from "../../servers.ts";
import { makeBucket } from "../../values/bench.ts";
import { checkValue, nextValue, overSession, type Caller, type Verb, type Way } from "../../values/calls.ts";
import { redis, startRedis } from "../stores/redis.ts";
import { LEVELS, levelCase, type Contestant, type Measure, type Workload } from "../workload.ts";
import { denoOverHttp, etcdOverHttp } from "./http.ts";

/** etcd and Deno KV have no client for this but HTTP: their callers are as many connections. */
export const client: readonly Workload[] = (["PUT", "GET"] as const).map((verb) => {
  const overHttp = LEVELS.map((callers) => ({
    name: levelCase(callers, "caller"),
    verb,
    connections: callers,
  }));
  return {
    name: `Best client, ${verb}`,
    unit: `${verb.toLowerCase()}s/s`,
    cases: overHttp.map(({ name }) => name),
    contestants: [
      byOurs("ours, a session", verb, overSession),
      byRedis(verb),
      etcdOverHttp(overHttp),
      denoOverHttp(overHttp),
    ],
  };
});

/** A client of this service, with a server of its own. */
export function byOurs(name: string, verb: Verb, open: Way): Contestant {
  return {
    name,
    start: async () => {
      const server = await startOurs();
      await makeBucket(server);
      const caller = await open(server);
      await caller.call("PUT");
      return {
        measures: byLevel(caller, verb),
        stop: async () => {
          caller.close();
          await server.stop();
        },
      };
    },
  };
}

function byRedis(verb: Verb): Contestant {
  return {
    name: "Redis",
    peer: redis,
    start: async () => {
      const store = await startRedis();
      const call = async (asked: Verb): Promise<void> => {
        if (asked === "GET") checkValue((await store.client.get("key")) ?? "");
        else await store.client.set("key", nextValue());
      };
      await call("PUT");
      return { measures: byLevel({ call }, verb), stop: () => store.stop() };
    },
  };
}

/** All callers share the client. */
function byLevel({ call }: Pick<Caller, "call">, verb: Verb): Record<string, Measure> {
  const caller = { exchange: () => call(verb), close: () => undefined };
  const measures = LEVELS.map((callers): [string, Measure] => [
    levelCase(callers, "caller"),
    (forMs) => measure({ batch: 1, connections: callers, connect: async () => caller }, forMs),
  ]);
  return Object.fromEntries(measures);
}
