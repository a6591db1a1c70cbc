/** The HTTP API as data: one table for the router and for /openapi.json. Requests are checked with the same schemas. */

import { BUCKETS } from "./buckets.ts";
import type { Table } from "./endpoint.ts";
import { KEYS } from "./keys.ts";
import { PUBLIC_API, SERVICE } from "./service.ts";
import { STREAMS } from "./streams.ts";

export { PUBLIC_API };
export const API = { ...BUCKETS, ...KEYS, ...STREAMS, ...SERVICE } as const satisfies Table;

type IdOf<Paths> = { [Path in keyof Paths]: EndpointId<Paths[Path]> }[keyof Paths];
type EndpointId<Methods> = {
  [M in keyof Methods]: Methods[M] extends { readonly id: infer Id } ? Id : never;
}[keyof Methods];

/** The ids of the endpoints. */
export type OperationId = IdOf<typeof API>;
export type PublicOperationId = IdOf<typeof PUBLIC_API>;
