/** A bucket as a store for keyv, versions 5 and 6 (https://keyv.org): web standards only, and nothing of keyv's. */

export { KeyvDurableKv, KeyvDurableKv as default } from "./store.ts";
export type { KeyvDurableKvOptions } from "./types.ts";
