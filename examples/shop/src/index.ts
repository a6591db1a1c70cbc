/** A small shop: carts in a `KVNamespace`, stock counters and orders in one bucket, so that one transaction has both. */

// Outside this repository: import type { KvBinding } from "durable-kv/binding";
import type { KvBinding } from "../../../src/binding/types.ts";

interface Env {
  readonly KV: KvBinding;
}

/** How many of each article. */
type Cart = Readonly<Record<string, number>>;

/** Carts that nobody touches for a week are gone. */
const CART_SECONDS = 7 * 86_400;
const STORE = "shop-store";

export default {
  async fetch(request, { KV }): Promise<Response> {
    const { pathname } = new URL(request.url);
    const [, place, id = "", verb = ""] = pathname.split("/");
    switch (`${request.method} ${place}/${verb}`) {
      case "PUT stock/":
        return deliver(KV, id, Number(await request.text()));
      case "GET stock/":
        return Response.json({ article: id, stock: Number((await store(KV).get(stockOf(id))) ?? 0) });
      case "PUT carts/":
        return fill(KV, id, await request.json<Cart>());
      case "GET carts/":
        return Response.json(await cartOf(KV, id));
      case "POST carts/checkout":
        return checkOut(KV, id);
      default:
        return new Response("There is nothing here.", { status: 404 });
    }
  },
} satisfies ExportedHandler<Env>;

/** More of an article comes in. The first delivery opens the store. */
async function deliver(kv: KvBinding, article: string, by: number): Promise<Response> {
  await kv.create(STORE);
  const { value } = await store(kv).increment(stockOf(article), { by });
  return Response.json({ article, stock: value });
}

async function fill(kv: KvBinding, id: string, cart: Cart): Promise<Response> {
  await kv.namespace("shop-carts").put(id, JSON.stringify(cart), { expirationTtl: CART_SECONDS });
  return Response.json(cart);
}

async function cartOf(kv: KvBinding, id: string): Promise<Cart> {
  return (await kv.namespace("shop-carts").get<Cart>(id, "json")) ?? {};
}

/** Takes everything from the stock and writes the order, or, if one article is short, neither. */
async function checkOut(kv: KvBinding, id: string): Promise<Response> {
  const cart = await cartOf(kv, id);
  const articles = Object.entries(cart);
  const order = crypto.randomUUID();
  const { succeeded } = await store(kv).transaction({
    if: articles.map(([article, count]) => ({ key: stockOf(article), integer: count, is: ">=" as const })),
    then: [
      ...articles.map(([article, count]) => ({
        op: "increment" as const,
        key: stockOf(article),
        by: -count,
      })),
      { op: "put", key: `order/${order}`, json: { cart, by: id } },
    ],
  });
  if (!succeeded)
    return Response.json({ sold: false, why: "One of the articles is sold out." }, { status: 409 });
  await kv.namespace("shop-carts").delete(id);
  return Response.json({ sold: true, order });
}

function store(kv: KvBinding) {
  return kv.bucket(STORE);
}

function stockOf(article: string): string {
  return `stock/${article}`;
}
