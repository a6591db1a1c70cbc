/** The example shop, with the service bound to it. */

import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBound, type BoundWorker } from "./support/bound-worker.ts";

const SHOP = resolve(import.meta.dirname, "../../examples/shop/src/index.ts");

let shop: BoundWorker;
beforeAll(async () => {
  shop = await startBound(SHOP);
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

  it("sells a cart once, however often it is checked out at once", async () => {
    await ask("PUT", "/stock/lamps", 9);
    await ask("PUT", "/carts/cid", { lamps: 3 });
    const sales = await Promise.all(Array.from({ length: 3 }, () => ask("POST", "/carts/cid/checkout")));
    expect(sales.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 409, 409]);
    expect((await ask("GET", "/stock/lamps")).json).toMatchObject({ stock: 6 });
    expect(await ask("POST", "/carts/cid/checkout")).toMatchObject({ status: 409, json: { sold: false } });
  });

  it.each([{}, undefined])("makes no order of a cart that is %j", async (cart) => {
    if (cart !== undefined) await ask("PUT", "/carts/dan", cart);
    expect(await ask("POST", "/carts/dan/checkout")).toMatchObject({ status: 409, json: { sold: false } });
  });

  it.each([
    { milk: -5 },
    { milk: 0 },
    { milk: 1.5 },
    { milk: "1" },
    { milk: 1e9 },
    { milk: null },
    { "": 1 },
    { "stock/milk": 1 },
    { Milk: 1 },
    JSON.parse('{"__proto__":1}') as object,
    Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`n${n}`, 1])),
    { long: "x".repeat(20_000) },
    ["milk"],
    "milk",
    5,
    null,
  ])("takes no cart such as %j, and leaves the one that is there", async (cart) => {
    await ask("PUT", "/stock/soap", 3);
    await ask("PUT", "/carts/eve", { soap: 1 });
    expect(await ask("PUT", "/carts/eve", cart)).toMatchObject({
      status: 400,
      json: { why: expect.any(String) as string },
    });
    expect((await ask("GET", "/carts/eve")).json).toEqual({ soap: 1 });
  });

  it.each(["-5", "0", "1.5", '"5"', "many", "", "1e99", "null"])("takes no delivery of %j", async (count) => {
    expect((await shop.send("PUT", "/stock/pens", count)).status).toBe(400);
    expect((await ask("GET", "/stock/pens")).json).toMatchObject({ stock: 0 });
  });

  it("counts a delivery that is told twice once, if it says so", async () => {
    const once = { "Idempotency-Key": "delivery 1" };
    for (let told = 0; told < 2; told += 1) {
      const { text } = await shop.send("PUT", "/stock/ink", "3", once);
      expect(JSON.parse(text)).toMatchObject({ stock: 3 });
    }
    expect((await shop.send("PUT", "/stock/ink", "4", once)).status).toBe(400);
    expect((await shop.send("PUT", "/stock/ink", "4", { "Idempotency-Key": "k".repeat(257) })).status).toBe(
      400,
    );
    expect((await ask("GET", "/stock/ink")).json).toMatchObject({ stock: 3 });
  });

  it.each([
    "/carts/%2e%2e",
    "/carts/a%2Fb",
    "/carts/",
    "/stock/%00",
    "/carts/fay/more",
    "/carts/fay/checkout/now",
  ])("has nothing at %s", async (path) => {
    expect((await shop.send("GET", path)).status).toBe(404);
    expect((await shop.send("POST", path)).status).toBe(404);
  });

  it("says of what was never delivered that it is sold out", async () => {
    await ask("PUT", "/carts/gus", { unheard: 1 });
    expect(await ask("POST", "/carts/gus/checkout")).toMatchObject({
      status: 409,
      json: { sold: false, why: "One of the articles is sold out." },
    });
    expect((await ask("GET", "/stock/unheard")).json).toMatchObject({ stock: 0 });
  });
});

describe("a shop that has just opened", () => {
  it("has no stock, no carts and no orders, and says so", async () => {
    const fresh = await startBound(SHOP);
    const answers = [
      await fresh.send("GET", "/stock/milk"),
      await fresh.send("GET", "/carts/ann"),
      await fresh.send("POST", "/carts/ann/checkout"),
    ];
    await fresh.stop();
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 409]);
  });
});
