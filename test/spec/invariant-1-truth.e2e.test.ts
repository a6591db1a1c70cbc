/** Two isolates of the Worker, as two places at the edge, in front of the same objects (under miniflare). */

import { join, resolve } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle } from "../../src/serve/bundle.ts";

const ROOT = resolve(import.meta.dirname, "../..");
let miniflare: Miniflare;
let ask: (
  edge: "a" | "b",
  method: string,
  path: string,
  body?: string,
) => Promise<{ status: number; text: string }>;

beforeAll(async () => {
  const script = await bundle(join(ROOT, "src/worker.ts"));
  const edge = (name: string, scriptName?: string) => ({
    name,
    modules: true as const,
    script,
    compatibilityDate: "2026-10-01",
    bindings: { KV_OPEN: "loopback" },
    durableObjects: {
      REGISTRY: {
        className: "Registry",
        useSQLite: true,
        ...(scriptName === undefined ? {} : { scriptName }),
      },
      BUCKET: { className: "Bucket", useSQLite: true, ...(scriptName === undefined ? {} : { scriptName }) },
    },
  });
  miniflare = new Miniflare(convertV4MiniflareOptions({ workers: [edge("a"), edge("b", "a")] }));
  const [a, b] = [await miniflare.getWorker("a"), await miniflare.getWorker("b")];
  ask = async (name, method, path, body) => {
    const response = await (name === "a" ? a : b).fetch(`http://localhost/v1/buckets/${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, text: await response.text() };
  };
});
afterAll(() => miniflare.dispose());

describe("invariant 1: truth, across isolates", () => {
  it("an isolate with a stale id reads nothing of the old bucket, and then finds the new one", async () => {
    await ask("a", "PUT", "shopping");
    await ask("a", "PUT", "shopping/keys/milk", "old");
    // b learns where the bucket is.
    expect(await ask("b", "GET", "shopping/keys/milk")).toEqual({ status: 200, text: "old" });
    // a ends it and makes it anew; b is told nothing.
    expect((await ask("a", "DELETE", "shopping")).status).toBe(204);
    expect((await ask("b", "GET", "shopping/keys/milk")).status).toBe(404);
    expect((await ask("a", "PUT", "shopping")).status).toBe(201);
    expect((await ask("b", "GET", "shopping/keys/milk")).status).toBe(404);
    await ask("a", "PUT", "shopping/keys/milk", "new");
    expect(await ask("b", "GET", "shopping/keys/milk")).toEqual({ status: 200, text: "new" });
  });

  it("a stale isolate's write goes to the bucket that has the name, or nowhere", async () => {
    await ask("a", "PUT", "carts");
    await ask("b", "PUT", "carts/keys/k", "1");
    await ask("a", "DELETE", "carts");
    expect((await ask("b", "PUT", "carts/keys/k", "lost")).status).toBe(404);
    await ask("a", "PUT", "carts");
    expect((await ask("a", "GET", "carts/keys/k")).status).toBe(404);
    expect((await ask("b", "PUT", "carts/keys/k", "2")).status).toBe(201);
    expect((await ask("a", "GET", "carts/keys/k")).text).toBe("2");
  });

  it("both agree on one bucket when they create it at once", async () => {
    const created = await Promise.all(
      Array.from({ length: 10 }, (_, index) => ask(index % 2 === 0 ? "a" : "b", "PUT", "contended")),
    );
    expect(created.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(new Set(created.map(({ text }) => (JSON.parse(text) as { id: string }).id)).size).toBe(1);
  });
});
