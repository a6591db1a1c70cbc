/** What keyv takes for a store, in its own types: versions 5 and 6. */

import { Keyv as Keyv5 } from "keyv";
import { Keyv as Keyv6, type KeyvBridgeStore } from "keyv-6";
import { KeyvDurableKv } from "../../src/keyv/index.ts";

const store = new KeyvDurableKv({ url: "http://localhost", bucket: "cache" });

export async function compiles(): Promise<void> {
  await new Keyv5(store).get("a");
  await new Keyv5(store, { namespace: "n" }).get("a");
  await new Keyv5({ store, namespace: "n" }).get("a");
  await new Keyv6(store).get("a");
  await new Keyv6({ store, namespace: "n" }).get("a");
  // keyv 6 takes anything; this is what it means by it.
  const legacy: Omit<KeyvBridgeStore, "namespace"> = store;
  const each: boolean[] = await store.setMany([{ key: "a", value: 1 }]);
  void [legacy, each];
}
