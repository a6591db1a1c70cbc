/** The example shop, with the service bound to it. */

import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBound, type BoundWorker } from "./support/bound-worker.ts";

let shop: BoundWorker;
beforeAll(async () => {
  shop = await startBound(resolve(import.meta.dirname, "../../examples/shop/src/index.ts"));
});
afterAll(() => shop.stop());

async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
  const { status, text } = await shop.ask(method, path, body);
  return { status, json: JSON.parse(text) };
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
