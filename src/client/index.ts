/** The client of Durable KV. It uses web standards only, and runs in browsers, Node, Deno, Bun and Workers. */

export { Bucket, Session, type TransactionResult } from "./bucket.ts";
export { bytes, json, text, type AnyCodec, type Codec, type Encoded } from "./codecs.ts";
export * from "./errors.ts";
export { Kv, type BucketDefaults, type KvOptions, type OpenOptions, type SchemaOptions } from "./kv.ts";
export type { InputOf, OutputOf, StandardSchema } from "./schema.ts";
export type * from "./types.ts";
