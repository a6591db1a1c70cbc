// The types only: the code is the bundle of src/embed.ts that `npm run build` makes. test/binding/embedded.ts compares them.

/**
 * The Worker and its classes, to deploy as they are or to embed in a Worker of one's own:
 *
 * ```ts
 * import { kvBinding } from "durable-kv/worker";
 *
 * export { Bucket, KvEntrypoint, Registry } from "durable-kv/worker";
 *
 * export default {
 *   async fetch(request, env, ctx) {
 *     const visits = kvBinding(ctx).bucket("visits", { create: true });
 *     const { value } = await visits.increment(new URL(request.url).pathname);
 *     return new Response(`You are number ${value}.`);
 *   },
 * } satisfies ExportedHandler;
 * ```
 *
 * In the examples, `env.KV` is bound to the entrypoint `KvEntrypoint`, and `env.CARTS` to `KvNamespace`.
 * @module durable-kv/worker
 */

import type { DurableObject, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
import type { KvBinding, KvNamespaceProps } from "./types.ts";

/** What the Worker's environment has to have: two Durable Object bindings; and may have: settings, as text. */
export interface KvEnv {
  /** The class {@link Registry}. */
  readonly REGISTRY: DurableObjectNamespace;
  /** The class {@link Bucket}. */
  readonly BUCKET: DurableObjectNamespace;
  /** The token that HTTP clients send. Calls through a binding need none. */
  readonly KV_TOKEN?: string;
  /** Web origins whose pages may use the service, separated by blanks. */
  readonly KV_ORIGINS?: string;
  /** Where new buckets are placed: near their `caller`, which is the default and works over HTTP, or near their `registry` partition. */
  readonly KV_PLACE_NEAR?: string;
  /** The registry's partitions, 16 by default. Fixed once the first bucket is created. */
  readonly KV_PARTITIONS?: string;
}

/**
 * The object that keeps a partition of the bucket names. Bind it as `REGISTRY`, with `new_sqlite_classes`.
 * @example
 * ```toml
 * [[durable_objects.bindings]]
 * name = "REGISTRY"
 * class_name = "Registry"
 * ```
 */
export declare class Registry extends DurableObject<KvEnv> {}

/**
 * The object that keeps one bucket. Bind it as `BUCKET`, with `new_sqlite_classes`.
 * @example
 * ```toml
 * [[durable_objects.bindings]]
 * name = "BUCKET"
 * class_name = "Bucket"
 * ```
 */
export declare class Bucket extends DurableObject<KvEnv> {}

/**
 * The entrypoint for Workers that use many buckets. Its binding, here `env.KV`, is a {@link KvBinding}.
 * @example
 * ```ts
 * await env.KV.create("clicks");
 * console.log((await env.KV.bucket("clicks").increment("/home")).value); // 1
 * ```
 */
export declare class KvEntrypoint extends WorkerEntrypoint<KvEnv> {
  /**
   * The methods of one bucket, which need not exist.
   * @example
   * ```ts
   * await env.KV.create("carts");
   * using carts = env.KV.bucket("carts");
   * await carts.put("ann", "2");
   * console.log(await carts.get("ann")); // 2
   * ```
   */
  bucket(...given: Parameters<KvBinding["bucket"]>): RpcTarget & ReturnType<KvBinding["bucket"]>;
  /**
   * One bucket as a `KVNamespace`. It need not exist: the first put creates it.
   * @example
   * ```ts
   * using notes = env.KV.namespace("notes");
   * await notes.put("today", "buy milk");
   * console.log(await notes.get("today")); // buy milk
   * ```
   */
  namespace(name: string): RpcTarget & KVNamespace & Disposable;
  /** Ensures that there is a bucket. */
  create: KvBinding["create"];
  /** Describes a bucket; null if there is none. */
  lookup: KvBinding["lookup"];
  /** Stops a bucket: deletes its data and frees its name. */
  stop: KvBinding["stop"];
  /** Sends an exit signal. */
  exit: KvBinding["exit"];
  /** A page of buckets, ordered by name. */
  buckets: KvBinding["buckets"];
  /**
   * The HTTP API.
   * @example
   * ```ts
   * console.log((await env.KV.fetch("https://kv/v1/buckets/nowhere")).status); // 404
   * ```
   */
  fetch(request: Request): Promise<Response>;
}

/** RPC's types know neither `unknown` nor a type that contains itself: this is one level of JSON. */
type Scalar = string | number | boolean | null;
type Json = Scalar | Scalar[] | Record<string, Scalar>;

/**
 * The entrypoint for Workers that use one bucket in place of a namespace of Workers KV. The binding's `props` name the
 * bucket: `KvNamespaceProps` of `durable-kv/binding`. What it is at run time is a `KVNamespace`, here `env.CARTS`;
 * `wrangler types` types each method by its last overload. For the others, and to pass it on:
 * `env.CARTS as unknown as KVNamespace`.
 * @example
 * ```ts
 * await env.CARTS.put("ann", "2", { expirationTtl: 3_600 });
 * console.log(await env.CARTS.get("ann")); // 2
 * ```
 */
export declare class KvNamespace extends WorkerEntrypoint<KvEnv, KvNamespaceProps> {
  /**
   * Reads up to 100 values: a map of them, as text or JSON, with null for a key that does not exist.
   * @example
   * ```ts
   * await env.CARTS.put("bob", "1");
   * console.log([...(await env.CARTS.get(["bob", "eve"]))]); // [ [ 'bob', '1' ], [ 'eve', null ] ]
   * ```
   */
  get(key: string[], type?: "text" | "json"): Promise<Map<string, unknown>>;
  /** Reads a value as JSON, bytes or a stream; null if the key does not exist. */
  get(key: string, type: "json" | "arrayBuffer" | "stream"): Promise<unknown>;
  /** Reads a value as text; null if the key does not exist. */
  get(key: string, type?: "text"): Promise<string | null>;
  /** Like `get` of many keys, with the metadata. */
  getWithMetadata(key: string[], type?: "text" | "json"): Promise<Map<string, unknown>>;
  /** Like `get`, with the metadata. */
  getWithMetadata(key: string, type: "json" | "arrayBuffer" | "stream"): Promise<unknown>;
  /**
   * Like `get` as text, with the metadata.
   * @example
   * ```ts
   * await env.CARTS.put("ann", "2", { metadata: { paid: true } });
   * console.log((await env.CARTS.getWithMetadata("ann")).metadata); // { paid: true }
   * ```
   */
  getWithMetadata(
    key: string,
    type?: "text",
  ): Promise<{ value: string | null; metadata: Json; cacheStatus: null }>;
  /**
   * Stores a value. When this returns, the value is on disk, and every later read finds it.
   * @example
   * ```ts
   * await env.CARTS.put("ann", "2", { expirationTtl: 3_600 });
   * console.log(await env.CARTS.get("ann")); // 2
   * ```
   */
  put(
    key: string,
    value: string | ArrayBuffer | ArrayBufferView | ReadableStream,
    options?: KVNamespacePutOptions,
  ): Promise<void>;
  /**
   * Deletes a key. A missing key is no error.
   * @example
   * ```ts
   * await env.CARTS.delete("ann");
   * console.log(await env.CARTS.get("ann")); // null
   * ```
   */
  delete(key: string): Promise<void>;
  /**
   * A page of keys, ordered by their bytes: at most 1,000.
   * @example
   * ```ts
   * await env.CARTS.put("team/red", "2");
   * console.log((await env.CARTS.list({ prefix: "team/" })).keys); // [ { name: 'team/red' } ]
   * ```
   */
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
 * @throws TypeError if the main module does not export it
 * @example
 * ```ts
 * const kv = kvBinding(ctx);
 * await kv.create("words");
 * await kv.bucket("words").put("hello", "world");
 * console.log(await kv.bucket("words").get("hello")); // world
 * ```
 */
export declare function kvBinding(context: Pick<ExecutionContext, "exports">): KvBinding;

/**
 * The Worker itself, the default export: the HTTP API, and the text protocol over WebSocket. A Worker that embeds the
 * service can pass requests on to it.
 * @example
 * ```ts
 * const response = await worker.fetch(new Request("https://kv/healthz"), env, ctx);
 * console.log(response.status); // 200
 * ```
 */
declare const worker: {
  /** Answers a request. */
  fetch(request: Request, env: KvEnv, context: ExecutionContext): Response | Promise<Response>;
};
export default worker;
