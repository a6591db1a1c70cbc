/** What the client costs over plain HTTP in Node: its calls, and the same ones by undici and by fetch alone. */

import { Pool } from "undici";
import type { Server } from "../../servers.ts";
import { byFetch, checkValue, nextValue, overHttp, type Call, type Caller } from "../../values/calls.ts";
import { BUCKET } from "../../values/bench.ts";
import { LEVELS, levelCase, type Workload } from "../workload.ts";
import { byOurs } from "./client.ts";

export const clientHttp: readonly Workload[] = (["PUT", "GET"] as const).map((verb) => ({
  name: `Client over HTTP, ${verb}`,
  unit: `${verb.toLowerCase()}s/s`,
  cases: LEVELS.map((callers) => levelCase(callers, "caller")),
  contestants: [
    byOurs("ours", verb, overHttp),
    byOurs("undici", verb, byUndici),
    byOurs("fetch", verb, byFetch(keyPath)),
  ],
}));

/** As many connections as there are callers, as Node's fetch has them. */
async function byUndici({ http }: Server): Promise<Caller> {
  const pool = new Pool(`http://127.0.0.1:${http}`);
  const path = keyPath("key");
  const call: Call = async (verb) => {
    const { statusCode, body } = await pool.request(
      verb === "PUT" ? { method: "PUT", path, body: nextValue() } : { method: "GET", path },
    );
    const answer = await body.text();
    if (statusCode < 200 || statusCode > 299) throw new Error(`unexpected response: ${statusCode} ${answer}`);
    if (verb === "GET") checkValue(answer);
  };
  return { call, close: () => void pool.destroy() };
}

function keyPath(key: string): string {
  return `${BUCKET}/keys/${key}`;
}
