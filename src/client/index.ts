/** The client of Durable KV. It uses web standards only, and runs in browsers, Node, Deno, Bun and Workers. */

export { Bucket, Session, type TransactionResult } from "./bucket.ts";
export { bytes, json, text, type Codec, type Encoded } from "./codecs.ts";
export * from "./errors.ts";
export { Kv, type KvOptions, type OpenOptions } from "./kv.ts";
export type * from "./types.ts";
