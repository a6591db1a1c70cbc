/** A storage adapter for keyv 5 and 6 (https://keyv.org) on a bucket. Uses web standards only; does not import keyv. */

export { KeyvDurableKv, KeyvDurableKv as default } from "./store.ts";
export type { KeyvDurableKvOptions } from "./types.ts";
