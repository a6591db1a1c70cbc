/** Durable KV's client: web standards only. */

export { Bucket, Session, type TransactionResult } from "./bucket.ts";
export { bytes, json, text, type Codec, type Encoded } from "./codecs.ts";
export * from "./errors.ts";
export { Kv, type KvOptions, type OpenOptions } from "./kv.ts";
export type * from "./types.ts";
