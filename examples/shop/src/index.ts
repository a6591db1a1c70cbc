/**
 * A small shop: stock, carts and orders in one bucket, so that one transaction has all three.
 *
 * It asks for nobody's name. In a shop of your own only your staff may deliver, and a cart is its buyer's: check that before
 * you come here, and take the cart's id from the buyer's session and not from the address.
 */

// Outside this repository: import { kvFailure, type KvBinding } from "durable-kv/binding";
import { kvFailure, type KvBinding } from "../../../src/binding/types.ts";
import { cartOf, countOf, isName, textOf, type Cart } from "./given.ts";

interface Env {
  readonly KV: KvBinding;
}

/** Carts that are left alone for a week are gone. */
const CART_SECONDS = 7 * 86_400;
const STORE = "shop-store";

export default {
  async fetch(request, { KV }): Promise<Response> {
    const [, place, id = "", verb, ...more] = new URL(request.url).pathname.split("/");
    const asked = `${request.method} ${place}${verb === undefined ? "" : `/${verb}`}`;
    if (!isName(id) || more.length > 0) return nothingHere();
    switch (asked) {
      case "PUT stock":
        return deliver(KV, id, request);
      case "GET stock":
        return Response.json({ article: id, stock: Number((await all(KV).get(stockOf(id))) ?? 0) });
      case "PUT carts":
        return fill(KV, id, request);
      case "GET carts":
        return Response.json((await all(KV).get<Cart>(cartAt(id), "json")) ?? {});
      case "POST carts/checkout":
        return checkOut(KV, id);
      default:
        return nothingHere();
    }
  },
} satisfies ExportedHandler<Env>;

/**
 * More of an article comes in. The first delivery opens the store. One that is told twice, because its answer was lost,
 * counts once if both have the same `Idempotency-Key`.
 */
async function deliver(kv: KvBinding, article: string, request: Request): Promise<Response> {
  const by = countOf(await textOf(request));
  if (by === undefined) return refused("A delivery is a whole number from 1 to 1,000,000.");
  await kv.create(STORE);
  const idempotencyKey = request.headers.get("Idempotency-Key");
  const once = idempotencyKey === null ? {} : { idempotencyKey };
  try {
    const { value } = await kv.bucket(STORE).increment(stockOf(article), { by }, once);
    return Response.json({ article, stock: value });
  } catch (error) {
    const failure = kvFailure(error);
    if (failure?.code !== "idempotency_key_reused" && failure?.code !== "header_invalid") throw error;
    return refused(failure.detail);
  }
}

async function fill(kv: KvBinding, id: string, request: Request): Promise<Response> {
  const cart = cartOf(await textOf(request));
  if (cart === undefined) return refused("A cart has up to 100 articles, from 1 to 1,000 of each.");
  await all(kv).put(cartAt(id), JSON.stringify(cart), { expirationTtl: CART_SECONDS });
  return Response.json(cart);
}

/**
 * Takes the cart and its articles, and writes the order; or, if one article is short or the cart is no longer what was
 * read, nothing at all. Whoever checks the same cart out at the same time finds it changed: it is sold once.
 */
async function checkOut(kv: KvBinding, id: string): Promise<Response> {
  const found = await cartIn(kv, id);
  const articles = Object.entries(found?.value ?? {});
  if (found === null || articles.length === 0) return notSold("The cart is empty.");
  const order = crypto.randomUUID();
  const { succeeded, results } = await kv.bucket(STORE).transaction({
    if: [
      { key: cartAt(id), revision: found.revision },
      ...articles.map(([article, count]) => ({ key: stockOf(article), integer: count, is: ">=" as const })),
    ],
    then: [
      ...articles.map(([article, count]) => ({
        op: "increment" as const,
        key: stockOf(article),
        by: -count,
      })),
      { op: "put", key: `order/${order}`, json: { cart: found.value, by: id } },
      { op: "delete", key: cartAt(id) },
    ],
    else: [{ op: "get", key: cartAt(id) }],
  });
  if (succeeded) return Response.json({ sold: true, order });
  const [now] = results;
  const isSame = now?.op === "get" && now.found && now.revision === found.revision;
  return notSold(isSame ? "One of the articles is sold out." : "The cart has changed meanwhile.");
}

/** The cart with its revision; null if there is none, or no store yet. */
async function cartIn(kv: KvBinding, id: string) {
  try {
    return await kv.bucket(STORE).getEntry<Cart>(cartAt(id), "json");
  } catch (error) {
    if (kvFailure(error)?.code === "bucket_not_found") return null;
    throw error;
  }
}

/** The same bucket as Workers KV would show it: what is not there is null, also where there is no bucket yet. */
function all(kv: KvBinding): KVNamespace {
  return kv.namespace(STORE);
}

// A name has no slash: so no article's stock is another one's cart.
function stockOf(article: string): string {
  return `stock/${article}`;
}

function cartAt(id: string): string {
  return `cart/${id}`;
}

function nothingHere(): Response {
  return new Response("There is nothing here.", { status: 404 });
}

function refused(why: string): Response {
  return Response.json({ why }, { status: 400 });
}

function notSold(why: string): Response {
  return Response.json({ sold: false, why }, { status: 409 });
}
