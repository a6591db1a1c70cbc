/** The largest page of a list, with and without values. */

import type { Server } from "../servers.ts";
import { ask, requests } from "./requests.ts";

const KEYS = 1_000;
const VALUE = "v".repeat(100);

export const pages = [page(false), page(true)] as const;

function page(values: boolean): ReturnType<typeof requests> {
  const query = `?limit=${KEYS}${values ? "&values=true" : ""}`;
  const path = { ours: `/keys${query}`, bare: `/list${query}` };
  return requests({
    name: `list ${KEYS} keys ${values ? "with" : "without"} values`,
    unit: "pages/s",
    connections: 4,
    method: "GET",
    path,
    fill: async (server) => {
      await fill(server);
      const { keys } = JSON.parse(await ask(server, path[server.name], { method: "GET" })) as {
        keys: readonly { readonly value?: string }[];
      };
      const asAsked =
        keys.length === KEYS && keys.every(({ value }) => value === (values ? VALUE : undefined));
      if (!asAsked) throw new Error(`${server.name} does not list what was put`);
    },
  });
}

async function fill(server: Server): Promise<void> {
  const puts = Array.from({ length: KEYS }, (_, at) => ({
    ...(server.name === "ours" ? { op: "put" } : {}),
    key: `key-${String(at).padStart(4, "0")}`,
    value: VALUE,
  }));
  await ask(server, "/batch", { method: "POST", body: JSON.stringify(puts) });
}
