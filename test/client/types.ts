/** What has to compile of the client's types, and what must not. */

import { WebSocket as NodeWebSocket } from "ws";
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
  // The codec says what the values are.
  const inferred: Bucket<Record<string, string>> = kv.bucket("words", { codec: text });
  const size: number | undefined = (await kv.bucket("raw", { codec: bytes }).get("a"))?.byteLength;
  const own = { type: "text/plain", encode: (value: number) => String(value), decode: Number };
  const number: number | undefined = await kv.bucket("numbers", { codec: own }).get("a");
  // Node 20 has no WebSocket of its own.
  const socket: WebSocket = new Kv({ url: "http://localhost", WebSocket: NodeWebSocket }).connect();
  // What is left out may be undefined.
  const token: string | undefined = undefined;
  const same = new Kv({ url: "http://localhost", token, fetch: undefined, WebSocket: undefined });
  await inferred.put("a", "", { ttl: undefined, ifMatch: undefined, signal: undefined });
  for await (const _ of inferred.list({ prefix: undefined, limit: undefined })) break;
  for await (const change of cart.watch()) if (change.event === "put") void change.value;
  void [raw, size, number, same, socket];
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
  // @ts-expect-error: the codec gives text.
  await kv.bucket("words", { codec: text }).put("a", 1);
  void milk;
}
