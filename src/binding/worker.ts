/**
 * The types of `durable-kv/worker`: the Worker and its classes, to deploy as they are or to embed in a Worker of one's
 * own. Its code is the bundle of src/embed.ts that `npm run build` makes; test/binding/embedded.ts compares the two.
 *
 * ```ts
 * import { kvBinding } from "durable-kv/worker";
 *
 * export { Bucket, KvEntrypoint, Registry } from "durable-kv/worker";
 *
 * export default {
 *   async fetch(request, env, ctx) {
 *     const visits = kvBinding(ctx).bucket("visits", { create: true });
 *     return new Response(`You are number ${(await visits.increment("home")).value}.`);
 *   },
 * } satisfies ExportedHandler;
 * ```
 */

import type { DurableObject, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
import type { KvBinding, KvNamespaceProps } from "./types.ts";

/** What the Worker's environment has to have: two Durable Object bindings; and may have: settings, as text. */
export interface KvEnv {
  readonly REGISTRY: DurableObjectNamespace;
  readonly BUCKET: DurableObjectNamespace;
  /** The token that HTTP clients send. Calls through a binding need none. */
  readonly KV_TOKEN?: string;
  /** Web origins whose pages may use the service, separated by blanks. */
  readonly KV_ORIGINS?: string;
  /** The registry's partitions, 16 by default. Fixed once the first bucket is created. */
  readonly KV_PARTITIONS?: string;
}

/** The object that keeps a partition of the bucket names. Bind it as `REGISTRY`, with `new_sqlite_classes`. */
export declare class Registry extends DurableObject<KvEnv> {}

/** The object that keeps one bucket. Bind it as `BUCKET`, with `new_sqlite_classes`. */
export declare class Bucket extends DurableObject<KvEnv> {}

/** The entrypoint for Workers that use many buckets: a {@link KvBinding}. */
export declare class KvEntrypoint extends WorkerEntrypoint<KvEnv> {
  bucket(...given: Parameters<KvBinding["bucket"]>): RpcTarget & ReturnType<KvBinding["bucket"]>;
  namespace(name: string): RpcTarget & KVNamespace & Disposable;
  create: KvBinding["create"];
  lookup: KvBinding["lookup"];
  stop: KvBinding["stop"];
  exit: KvBinding["exit"];
  buckets: KvBinding["buckets"];
  fetch(request: Request): Promise<Response>;
}

/** RPC's types know neither `unknown` nor a type that contains itself: this is one level of JSON. */
type Scalar = string | number | boolean | null;
type Json = Scalar | Scalar[] | Record<string, Scalar>;

/**
 * The entrypoint for Workers that use one bucket in place of a namespace of Workers KV. What it is at run time is a
 * `KVNamespace`; `wrangler types` types each method by its last overload. For the others, and to pass it on:
 * `env.CARTS as unknown as KVNamespace`.
 */
export declare class KvNamespace extends WorkerEntrypoint<KvEnv, KvNamespaceProps> {
  get(key: string[], type?: "text" | "json"): Promise<Map<string, unknown>>;
  get(key: string, type: "json" | "arrayBuffer" | "stream"): Promise<unknown>;
  get(key: string, type?: "text"): Promise<string | null>;
  getWithMetadata(key: string[], type?: "text" | "json"): Promise<Map<string, unknown>>;
  getWithMetadata(key: string, type: "json" | "arrayBuffer" | "stream"): Promise<unknown>;
  getWithMetadata(
    key: string,
    type?: "text",
  ): Promise<{ value: string | null; metadata: Json; cacheStatus: null }>;
  put(
    key: string,
    value: string | ArrayBuffer | ArrayBufferView | ReadableStream,
    options?: KVNamespacePutOptions,
  ): Promise<void>;
  delete(key: string): Promise<void>;
  list(options?: KVNamespaceListOptions): Promise<{
    keys: { name: string; expiration?: number; metadata?: Json }[];
    list_complete: boolean;
    cursor?: string;
    cacheStatus: null;
  }>;
}

/**
 * The service that is embedded in this Worker, without a `[[services]]` binding. The Worker's main module has to export
 * `KvEntrypoint`.
 * @param context the handler's third argument, or the `ctx` of a class
 * @throws {TypeError} if the main module does not export it
 */
export declare function kvBinding(context: Pick<ExecutionContext, "exports">): KvBinding;

/** The Worker itself: the HTTP API, and the text protocol over WebSocket. */
declare const worker: {
  fetch(request: Request, env: KvEnv, context: ExecutionContext): Response | Promise<Response>;
};
export default worker;
