/** Counts who owns how many buckets, by the records of owners in the store. */

import { objectFolder } from "../capnp.ts";
import { isIdOf, OBJECTS, ownerOf } from "./layout.ts";
import type { Store } from "./store.ts";

export interface Owned {
  readonly buckets: number;
  readonly partitions: number;
}

/** Requests to the store at once. */
const AT_ONCE = 32;

/** By node. It reads one small object for each bucket. @throws {ClusterError} */
export async function ownersIn(store: Store): Promise<ReadonlyMap<string, Owned>> {
  const owned = new Map<string, { buckets: number; partitions: number }>();
  for await (const object of objectsIn(store)) {
    const node = ownerOf((await object.record)?.text ?? "");
    if (node === undefined) continue;
    const counts = owned.get(node) ?? { buckets: 0, partitions: 0 };
    counts[object.isBucket ? "buckets" : "partitions"] += 1;
    owned.set(node, counts);
  }
  return owned;
}

interface Found {
  readonly isBucket: boolean;
  readonly record: ReturnType<Store["get"]>;
}

async function* objectsIn(store: Store): AsyncGenerator<Found> {
  const asked: Found[] = [];
  for await (const namespaces of store.list(OBJECTS, { folders: true })) {
    for (const namespace of namespaces.folders) {
      for await (const { folders } of store.list(namespace, { folders: true })) {
        for (const folder of folders) {
          const id = folder.split("/").at(-2) ?? "";
          const record = store.get(`${folder}own.json`);
          // An error is thrown where the record is awaited, and not here.
          record.catch(() => undefined);
          asked.push({ isBucket: isIdOf(objectFolder("Bucket"), id), record });
          if (asked.length < AT_ONCE) continue;
          const next = asked.shift();
          if (next !== undefined) yield next;
        }
      }
    }
  }
  yield* asked;
}
