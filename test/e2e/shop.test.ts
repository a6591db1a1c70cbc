/** The example shop, bound to the service as wrangler would bind it (under miniflare). */

import { join, resolve } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle } from "../../src/serve/bundle.ts";

const ROOT = resolve(import.meta.dirname, "../..");
let miniflare: Miniflare;

beforeAll(async () => {
  const [service, shop] = [
    await bundle(join(ROOT, "src/index.ts")),
    await bundle(join(ROOT, "examples/shop/src/index.ts")),
  ];
  miniflare = new Miniflare(
    convertV4MiniflareOptions({
      workers: [
        {
          name: "shop",
          modules: true,
          script: shop,
          compatibilityDate: "2026-10-01",
          serviceBindings: { KV: { name: "durable-kv", entrypoint: "KvEntrypoint" } },
        },
        {
          // As it is deployed, and without a token: a binding needs none.
          name: "durable-kv",
          modules: true,
          script: service,
          compatibilityDate: "2026-10-01",
          durableObjects: {
            REGISTRY: { className: "Registry", useSQLite: true },
            BUCKET: { className: "Bucket", useSQLite: true },
          },
        },
      ],
    }),
  );
});
afterAll(() => miniflare.dispose());

async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
  const shop = await miniflare.getWorker("shop");
  const response = await shop.fetch(`http://shop${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
}

describe("the shop", () => {
  it("sells what is in stock, once", async () => {
    expect(await ask("PUT", "/stock/milk", 3)).toMatchObject({ json: { stock: 3 } });
    await ask("PUT", "/stock/eggs", 12);
    expect((await ask("GET", "/carts/ann")).json).toEqual({});
    await ask("PUT", "/carts/ann", { milk: 2, eggs: 6 });
    expect((await ask("GET", "/carts/ann")).json).toEqual({ milk: 2, eggs: 6 });
    expect(await ask("POST", "/carts/ann/checkout")).toMatchObject({ status: 200, json: { sold: true } });
    expect((await ask("GET", "/carts/ann")).json).toEqual({});
    expect((await ask("GET", "/stock/milk")).json).toMatchObject({ stock: 1 });
    await ask("PUT", "/carts/bob", { eggs: 1, milk: 2 });
    expect(await ask("POST", "/carts/bob/checkout")).toMatchObject({ status: 409, json: { sold: false } });
    // All or nothing: there were eggs, but he did not get them.
    expect((await ask("GET", "/stock/eggs")).json).toMatchObject({ stock: 6 });
    expect((await ask("GET", "/carts/bob")).json).toEqual({ eggs: 1, milk: 2 });
  });

  it("never sells more than there is, however many come at once", async () => {
    await ask("PUT", "/stock/tickets", 5);
    const buyers = Array.from({ length: 12 }, (_, n) => `buyer${n}`);
    await Promise.all(buyers.map((buyer) => ask("PUT", `/carts/${buyer}`, { tickets: 1 })));
    const sales = await Promise.all(buyers.map((buyer) => ask("POST", `/carts/${buyer}/checkout`)));
    expect(sales.filter(({ status }) => status === 200)).toHaveLength(5);
    expect((await ask("GET", "/stock/tickets")).json).toMatchObject({ stock: 0 });
  });
});
