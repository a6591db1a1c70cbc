/** The bindings of test/wrangler.toml, as `env` of `cloudflare:workers` has them. */

declare namespace Cloudflare {
  interface Env {
    readonly REGISTRY: DurableObjectNamespace<import("./objects.ts").TestRegistry>;
    readonly BUCKET: DurableObjectNamespace<import("./objects.ts").TestBucket>;
    readonly COUNTER: DurableObjectNamespace<import("./counter.ts").Counter>;
    readonly KV_PARTITIONS: string;
  }
  interface GlobalProps {
    mainModule: typeof import("../worker.ts");
  }
}

interface ImportMeta {
  /** Vite's: the modules that match, by path. */
  glob<T>(
    pattern: string,
    options: { readonly query?: string; readonly import?: string; readonly eager: true },
  ): Record<string, T>;
}

/** Of Node, which the types of a Worker don't have. */
declare module "node:util" {
  export function formatWithOptions(options: object, ...values: readonly unknown[]): string;
}
