/**
 * The client of Durable KV. It uses web standards only, and runs in browsers, Node, Deno, Bun and Workers.
 *
 * In the examples, `url` is a service's address, `kv` is `new Kv({ url })`, `bucket` is an empty bucket, and `z` is zod.
 * @module durable-kv/client
 */

export { Bucket, Session } from "./bucket.ts";
export { bytes, json, text, type AnyCodec, type Codec, type Encoded } from "./codecs.ts";
export * from "./errors.ts";
export type { Fetch } from "./http.ts";
export { Kv, type BucketDefaults, type KvOptions, type OpenOptions, type SchemaOptions } from "./kv.ts";
export type { InputOf, OutputOf, StandardSchema } from "./schema.ts";
export type { BucketSession } from "./session.ts";
export type { PlatformSocket, Socket, WebSocketClass } from "./socket.ts";
export type { ExportOptions, ImportOptions } from "./transfer.ts";
export type * from "./types.ts";
