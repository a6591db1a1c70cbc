/** This service, the minimal Worker and the ceilings, as stores over HTTP. */

import { startBare, startCeiling, startOurs, type Ceiling } from "../../servers.ts";
import { askHttp } from "../../load/http.ts";
import type { HttpStore } from "./http-store.ts";

/** @param buckets number of buckets; connections share them in rotation */
export async function ourStore(buckets: number): Promise<HttpStore> {
  const server = await startOurs();
  const origin = `http://127.0.0.1:${server.http}`;
  const bucket = (number: number): string => `/v1/buckets/bench-${number % buckets}`;
  for (let number = 0; number < buckets; number += 1) {
    await askHttp(origin, { method: "PUT", path: bucket(number) });
  }
  return {
    origin,
    put: (value, connection) => ({ method: "PUT", path: `${bucket(connection)}/keys/key`, body: value }),
    get: (connection) => ({ method: "GET", path: `${bucket(connection)}/keys/key` }),
    valueIn: (response) => response,
    stop: () => server.stop(),
  };
}

/** @param objects number of objects, as the buckets of {@link ourStore} */
export async function bareStore(objects: number): Promise<HttpStore> {
  const server = await startBare();
  const path = (connection: number): string =>
    objects === 1 ? "/key" : `/objects/${connection % objects}/key`;
  return {
    origin: `http://127.0.0.1:${server.http}`,
    put: (value, connection) => ({ method: "PUT", path: path(connection), body: value }),
    get: (connection) => ({ method: "GET", path: path(connection) }),
    valueIn: (response) => response,
    stop: () => server.stop(),
  };
}

export async function ceilingStore(ceiling: Ceiling): Promise<HttpStore> {
  const server = await startCeiling(ceiling);
  return {
    origin: `http://127.0.0.1:${server.http}`,
    put: (value) => ({ method: "PUT", path: "/key", body: value }),
    get: () => ({ method: "GET", path: "/key" }),
    valueIn: undefined,
    stop: () => server.stop(),
  };
}
