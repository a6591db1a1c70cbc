/** The driver's types. */

import type { Kv, KvOptions } from "../client/kv.ts";
import type { BucketOptions } from "../client/types.ts";

/** A service binding to the entrypoint `KvEntrypoint`, of which the driver uses the HTTP API. */
export interface BoundService {
  /** Sends a request to the service. */
  fetch(input: string, init?: RequestInit): Promise<Response>;
}

/** How the service is reached: over HTTP, over a binding of a Worker, or by an existing client. */
type Reached =
  | KvOptions
  | {
      /**
       * The binding; or its name, which is looked for in `globalThis.__env__` and `globalThis`, as other drivers do; or a
       * function, for bindings that exist during a request only.
       */
      readonly binding: BoundService | string | (() => BoundService);
    }
  | { readonly kv: Kv };

/** Where the items are, and how the service is reached. */
export type DurableKvDriverOptions = Reached & {
  /** The bucket. It need not exist: reads find nothing, and the first write or watch creates it. */
  readonly bucket: string;
  /** Put before each key in the bucket, with a colon. None by default. */
  readonly base?: string | undefined;
  /** Default time to live, in seconds. None by default. */
  readonly ttl?: number | undefined;
  /** Options of the bucket, if it is created; false: nothing creates it, and a write to a missing one fails. */
  readonly create?: BucketOptions | boolean | undefined;
  /** Called when a watch has failed for good; by default the error is printed. */
  readonly onError?: ((error: unknown) => void) | undefined;
};

/** Options of one call: the time to live, in seconds, overrides the driver's. */
export interface ItemOptions {
  readonly ttl?: number | undefined;
}

/** What unstorage calls. Its own type has more that is optional; this one is assignable to it. */
export interface Driver {
  readonly name: string;
  readonly options: DurableKvDriverOptions;
  readonly flags: { readonly ttl: true };
  /** The client that the driver uses. */
  getInstance(): Kv;
  /** Whether the item exists. Its value is not transferred. */
  hasItem(key: string): Promise<boolean>;
  /** An item as text; null if it does not exist. */
  getItem(key: string): Promise<string | null>;
  /** Many items, in few round trips. */
  getItems(items: { key: string }[]): Promise<{ key: string; value: string | null }[]>;
  /** An item as bytes; null if it does not exist. */
  getItemRaw(key: string): Promise<Uint8Array | null>;
  /** Stores text. */
  setItem(key: string, value: string, options?: ItemOptions): Promise<void>;
  /** Stores many texts, in few round trips. */
  setItems(
    items: { key: string; value: string; options?: ItemOptions }[],
    options?: ItemOptions,
  ): Promise<void>;
  /** Stores text, bytes, a blob or a stream of bytes. */
  setItemRaw(key: string, value: unknown, options?: ItemOptions): Promise<void>;
  /** Deletes an item. A missing one is no error. */
  removeItem(key: string): Promise<void>;
  /** Time of the last write, size in bytes, remaining time to live in seconds; null if the item does not exist. */
  getMeta(key: string): Promise<{ mtime?: Date; size?: number; ttl?: number } | null>;
  /** The keys that begin with `base`, which are all by default. */
  getKeys(base?: string): Promise<string[]>;
  /** Deletes the items whose keys begin with `base`. */
  clear(base?: string): Promise<void>;
  /** Ends all watches. */
  dispose(): Promise<void>;
  /** Reports the changes of all clients. @returns a function that ends the watch */
  watch(callback: (event: "update" | "remove", key: string) => unknown): Promise<() => Promise<void>>;
}
