/** A Worker that asks for what is refused, and says how it hears of that. */

import { kvFailure } from "../../src/binding/failure.ts";
import type { KvBinding } from "../../src/binding/types.ts";

const CALLS: Readonly<Record<string, (kv: KvBinding) => Promise<unknown>>> = {
  "an entrypoint's verb": (kv) => kv.create("no blanks"),
  "a bucket's verb": (kv) => kv.bucket("nowhere").put("a", "1"),
  "a verb of a bucket that is held": async (kv) => {
    using bucket = await (kv.bucket("nowhere") as unknown as Promise<ReturnType<KvBinding["bucket"]>>);
    return await bucket.get("a");
  },
  "a namespace's verb": (kv) => kv.namespace("nowhere").put("", "1"),
  "a Map": (kv) => kv.create("nowhere", new Map() as object),
  "more than a message holds": (kv) => kv.bucket("nowhere").put("a", new Uint8Array(33 * 1_048_576)),
  "shared memory": (kv) => kv.bucket("nowhere").put("a", new Uint8Array(new SharedArrayBuffer(1))),
};

export default {
  async fetch(_request, { KV }): Promise<Response> {
    const heard: Record<string, unknown> = {};
    for (const [name, call] of Object.entries(CALLS)) {
      heard[name] = await call(KV).then(
        () => "nothing was refused",
        (error: unknown) => kvFailure(error)?.code ?? String(error),
      );
    }
    return Response.json(heard);
  },
} satisfies ExportedHandler<{ readonly KV: KvBinding }>;
