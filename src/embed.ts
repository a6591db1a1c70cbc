/** The Worker of the package, `durable-kv/worker`: the deployed one, and what a Worker needs that embeds it. */

import type { KvBinding } from "./binding/types.ts";

export { default, Bucket, KvEntrypoint, KvNamespace, Registry } from "./worker.ts";

/** The service in this Worker; see binding/worker.ts, which has the published types. */
export function kvBinding(context: { readonly exports: object | undefined }): KvBinding {
  if (typeof context !== "object" || context.exports === undefined) {
    throw new TypeError(
      "kvBinding takes a handler's third argument, or the ctx of a class, and needs a compatibility_date of 2025-11-17 or later.",
    );
  }
  const { KvEntrypoint } = context.exports as { readonly KvEntrypoint?: KvBinding };
  if (KvEntrypoint !== undefined) return KvEntrypoint;
  throw new TypeError(
    'This Worker does not have KvEntrypoint. Export it from the main module: export { Bucket, KvEntrypoint, Registry } from "durable-kv/worker"',
  );
}
