/** The client with many parallel callers, compared with hand-written calls of the minimal Worker. */

import { measure } from "../load/measure.ts";
import type { Server } from "../servers.ts";
import { makeBucket, type Bench } from "./bench.ts";
import { byFetch, bySocket, overHttp, overSession, type Way } from "./calls.ts";

const CALLERS = 32;

export const client: readonly Bench[] = [
  ...calls("HTTP", { ours: overHttp, bare: byFetch((key) => `/${key}`) }),
  ...calls("a session", { ours: overSession, bare: bySocket }),
];

function calls(over: string, ways: Readonly<Record<Server["name"], Way>>): Bench[] {
  return (["GET", "PUT"] as const).map((verb) => ({
    name: `client, ${CALLERS} callers over ${over}: ${verb}`,
    bare: true,
    prepare: async (server) => {
      await makeBucket(server);
      const { call } = await ways[server.name](server);
      await call("PUT");
      const caller = { exchange: () => call(verb), close: () => undefined };
      const load = { batch: 1, connections: CALLERS, connect: async () => caller };
      return { measure: async (forMs) => ({ "calls/s": (await measure(load, forMs)).rate }) };
    },
  }));
}
