/** A Worker with the service bound to it, as wrangler would bind it (under miniflare). */

import { join, resolve } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { bundle } from "../../../src/serve/bundle.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

export interface BoundWorker {
  ask(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly text: string }>;
  /** As {@link ask}, with a body as it is. */
  send(
    method: string,
    path: string,
    body?: string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly text: string }>;
  stop(): Promise<void>;
}

/** Starts the Worker with this entry point; the service is `env.KV`. */
export async function startBound(entryPoint: string): Promise<BoundWorker> {
  // As a bundler makes it that has not heard of wrangler's `[define]`, such as Vite.
  const service = await bundle(join(ROOT, "src/worker.ts"), {});
  const script = await bundle(entryPoint);
  const compatibilityDate = "2026-10-01";
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      workers: [
        {
          name: "caller",
          modules: true,
          script,
          compatibilityDate,
          serviceBindings: { KV: { name: "durable-kv", entrypoint: "KvEntrypoint" } },
        },
        {
          // Without a token: a binding needs none.
          name: "durable-kv",
          modules: true,
          script: service,
          compatibilityDate,
          durableObjects: {
            REGISTRY: { className: "Registry", useSQLite: true },
            BUCKET: { className: "Bucket", useSQLite: true },
          },
        },
      ],
    }),
  );
  const send: BoundWorker["send"] = async (method, path, body, headers = {}) => {
    const worker = await miniflare.getWorker("caller");
    const response = await worker.fetch(`http://caller${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, text: await response.text() };
  };
  return {
    ask: (method, path, body) => send(method, path, body === undefined ? undefined : JSON.stringify(body)),
    send,
    stop: () => miniflare.dispose(),
  };
}
