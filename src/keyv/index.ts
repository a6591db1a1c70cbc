/**
 * A storage adapter for keyv 5 and 6 (https://keyv.org) on a bucket. Uses web standards only; does not import keyv.
 *
 * In the examples, `url` is a service's address, and `store` is a store on an empty bucket.
 * @module durable-kv/keyv
 */

export { KeyvDurableKv, KeyvDurableKv as default } from "./store.ts";
export type { KeyvDurableKvOptions, Setting } from "./types.ts";
