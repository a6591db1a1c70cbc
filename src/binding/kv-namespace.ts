/** The entrypoint for Workers that bind one bucket in place of a namespace of Workers KV. */

import { WorkerEntrypoint } from "cloudflare:workers";
import * as z from "zod/mini";
import type { Env } from "../config/env.ts";
import type { Directory } from "../directory/directory.ts";
import { directoryOf } from "../directory/isolate.ts";
import { KvError } from "../model/errors.ts";
import { check } from "../schema/check.ts";
import { orBindingError } from "./failures.ts";
import {
  Namespace,
  type NamespaceGetOptions,
  type NamespaceListed,
  type NamespaceListOptions,
  type NamespacePutOptions,
} from "./namespace.ts";
import { Reach } from "./reach.ts";
import type { KvNamespaceProps } from "./types.ts";
import type { GivenValue, ValueType } from "./values.ts";

const PropsJson = z.strictObject({
  bucket: z.string(),
  prefix: z.optional(z.string()),
  readonly: z.optional(z.boolean()),
});

/**
 * One bucket as a binding of its own, which has the methods of a `KVNamespace`:
 *
 * ```toml
 * [[services]]
 * binding = "CARTS"
 * service = "durable-kv"
 * entrypoint = "KvNamespace"
 * props = { bucket = "carts" }
 * ```
 *
 * ```ts
 * await env.CARTS.put("ann", "2", { expirationTtl: 3600 });
 * console.log(await env.CARTS.get("ann")); // "2"
 * ```
 *
 * Code that was written for Workers KV needs no change. The bucket need not exist: reads find nothing, and the first put
 * creates it. `props` may also have `prefix`, which is put before each key, and `readonly = true`, which refuses writes
 * with `read_only`. Invalid props are refused by every method, with `settings_invalid`.
 */
export class KvNamespace extends WorkerEntrypoint<Env, KvNamespaceProps> {
  /** The value of a key, null if it does not exist. For several keys, at most 100: a map of values, as text or JSON. */
  get(key: string | string[], options?: ValueType | NamespaceGetOptions | null): Promise<unknown> {
    return this.#through((namespace) => namespace.get(key, options));
  }

  /** Like {@link get}, with the metadata. */
  getWithMetadata(
    key: string | string[],
    options?: ValueType | NamespaceGetOptions | null,
  ): Promise<unknown> {
    return this.#through((namespace) => namespace.getWithMetadata(key, options));
  }

  /** Stores a value. When this returns, the value is on disk, and every later read finds it. */
  put(key: string, value: GivenValue, options?: NamespacePutOptions | null): Promise<void> {
    return this.#through((namespace) => namespace.put(key, value, options));
  }

  /** Deletes a key. A missing key is no error. */
  delete(key: string): Promise<void> {
    return this.#through((namespace) => namespace.delete(key));
  }

  /** A page of keys, ordered by their bytes. */
  list(options?: NamespaceListOptions | null): Promise<NamespaceListed> {
    return this.#through((namespace) => namespace.list(options));
  }

  async #through<T>(call: (namespace: Namespace) => Promise<T>): Promise<T> {
    // The namespace's own errors have their code already.
    return call(await orBindingError(async () => this.#namespace()));
  }

  #namespace(): Namespace {
    const { bucket, ...view } = propsOf(this.ctx.props);
    const directory = (): Directory => directoryOf(this.env, (sent) => this.ctx.waitUntil(sent));
    return new Namespace(new Reach(directory, bucket, () => ({})), view);
  }
}

/** @throws {KvError} `settings_invalid` */
function propsOf(given: unknown): KvNamespaceProps {
  try {
    return check(PropsJson, given ?? {}, "query_invalid");
  } catch (error) {
    throw new KvError(
      "settings_invalid",
      `The props of a KvNamespace binding, such as { bucket = "carts" }: ${(error as Error).message}`,
    );
  }
}
