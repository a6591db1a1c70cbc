/**
 * The Worker of the local server, as it is, and beside it `POST /torture/…`, with which the torture ends objects and arms
 * failpoints. `TORTURE_BROKEN` is set by the bundler, to build a Worker with a bug that the torture has to catch.
 */

import local from "../../../src/local/worker.ts";
import type { Env } from "../../../src/config/env.ts";
import { setFailpointHook } from "../../../src/otp/failpoint.ts";
import { losing, mixing } from "./broken.ts";
import { BrokenBucket, BrokenRegistry } from "./broken-objects.ts";

export { Control, KvEntrypoint, KvNamespace, Tcp } from "../../../src/local/worker.ts";

/** How an object ends: at once, or when what it has written is on disk, as an eviction does. */
type End = "abort" | "evict";

async function end(ctx: DurableObjectState, how: End): Promise<void> {
  if (how === "evict") await ctx.storage.sync();
  ctx.abort(`torture: ${how}`);
}

/** Ids of objects that have run here. */
const ids = { BUCKET: new Set<string>(), REGISTRY: new Set<string>() };

export class Bucket extends BrokenBucket {
  constructor(...args: ConstructorParameters<typeof BrokenBucket>) {
    super(...args);
    ids.BUCKET.add(this.ctx.id.toString());
  }

  tortureEnd(how: End): Promise<void> {
    return end(this.ctx, how);
  }
}

export class Registry extends BrokenRegistry {
  constructor(...args: ConstructorParameters<typeof BrokenRegistry>) {
    super(...args);
    ids.REGISTRY.add(this.ctx.id.toString());
  }

  tortureEnd(how: End): Promise<void> {
    return end(this.ctx, how);
  }
}

/** Arms one failpoint: the one that is reached after `skip` others. */
function arm(how: End | "throw", skip: number): void {
  let left = skip;
  setFailpointHook((ctx) => {
    left -= 1;
    if (left >= 0) return undefined;
    setFailpointHook();
    if (how === "throw") throw new Error("torture: failpoint");
    return end(ctx, how);
  });
}

async function torture(url: URL, env: Env): Promise<Response> {
  const query = (name: string): string => url.searchParams.get(name) ?? "";
  const how = query("how") as End;
  switch (url.pathname) {
    case "/torture/failpoint":
      arm(query("how") as End | "throw", Number(query("skip")));
      return Response.json({ done: true });
    case "/torture/end": {
      const binding = query("object") === "registry" ? "REGISTRY" : "BUCKET";
      const all = [...ids[binding]];
      const id = all[Number(query("n")) % Math.max(1, all.length)];
      if (id === undefined) return Response.json({ done: false });
      const namespace = env[binding] as unknown as DurableObjectNamespace<Bucket>;
      await namespace
        .get(namespace.idFromString(id))
        .tortureEnd(how)
        .catch(() => undefined);
      return Response.json({ done: true });
    }
    default:
      return new Response(null, { status: 404 });
  }
}

const serve = losing(
  mixing((request, env, ctx) => local.fetch(request as Parameters<typeof local.fetch>[0], env, ctx)),
);

export default {
  fetch(request, env, ctx) {
    const url = new URL(request.url);
    return url.pathname.startsWith("/torture/") ? torture(url, env) : serve(request, env, ctx);
  },
} satisfies ExportedHandler<Env>;
