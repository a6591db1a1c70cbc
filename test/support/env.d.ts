/** The bindings of test/wrangler.toml, as `env` of `cloudflare:workers` has them. */

declare namespace Cloudflare {
  interface Env {
    readonly REGISTRY: DurableObjectNamespace<import("../../src/registry/registry.ts").Registry>;
    readonly BUCKET: DurableObjectNamespace<import("../../src/bucket/bucket.ts").Bucket>;
    readonly COUNTER: DurableObjectNamespace<import("./counter.ts").Counter>;
    readonly KV_PARTITIONS: string;
  }
  interface GlobalProps {
    mainModule: typeof import("../worker.ts");
  }
}
