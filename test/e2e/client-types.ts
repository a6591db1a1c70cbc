/** What has to compile of the client's types, and what must not. */

import { bytes, Kv, text, type Bucket, type Entry } from "../../src/client/index.ts";

interface Cart {
  readonly milk: number;
  readonly note: { readonly text: string };
}

const kv = new Kv({ url: "http://localhost" });
const cart: Bucket<Cart> = kv.bucket<Cart>("shopping");

export async function compiles(): Promise<void> {
  const milk: number | undefined = await cart.get("milk");
  const note: Entry<{ readonly text: string }> | undefined = await cart.entry("note");
  await cart.put("milk", (milk ?? 0) + 1, { ttl: 60, ifMatch: note?.etag ?? "*" });
  await cart.update("note", (value) => ({ text: `${value?.text}!` }));
  await cart.transaction({
    if: [{ key: "milk", value: 1 }],
    then: [{ op: "put", key: "note", value: { text: "" } }],
  });
  const free = kv.bucket("anything");
  const anything: unknown = await free.get("any key");
  await free.put("any key", anything);
  const words: string | undefined = await kv
    .bucket<Record<string, string>>("words", { codec: text })
    .get("a");
  const raw: Uint8Array | undefined = await kv
    .bucket<Record<string, Uint8Array>>("raw", { codec: bytes })
    .get(words ?? "");
  for await (const change of cart.watch()) if (change.event === "put") void change.value;
  void raw;
}

export async function doesNotCompile(): Promise<void> {
  // @ts-expect-error: there is no such key.
  await cart.get("eggs");
  // @ts-expect-error: milk is a number.
  await cart.put("milk", "1");
  // @ts-expect-error: a note has a text.
  await cart.transaction({ then: [{ op: "put", key: "note", value: {} }] });
  // @ts-expect-error: milk is not text.
  const milk: string | undefined = await cart.get("milk");
  // @ts-expect-error: the codec gives text, the bucket wants numbers.
  kv.bucket<Record<string, number>>("words", { codec: text });
  void milk;
}
