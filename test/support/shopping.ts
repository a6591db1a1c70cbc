/** A bucket with one entry, `milk`, as one isolate of the Worker reaches it. */

import type { RestartKind } from "../../src/otp/restart.ts";
import { ask, isolate, type Isolate } from "./directories.ts";

/** Creates the bucket. @returns the isolate that did, and the id of the bucket's object */
export async function shopping(
  name: string,
  restart: RestartKind,
): Promise<Isolate & { readonly id: string }> {
  const caller = isolate();
  const { registration } = await caller.directory.create(name, { restart });
  await ask(caller.directory, name, (bucket) => bucket.put("milk", "1"));
  return { ...caller, id: registration.id };
}

/** Reads `milk`. @returns undefined if there is no such bucket */
export const getMilk = (caller: Isolate, name: string) =>
  ask(caller.directory, name, (bucket) => bucket.get("milk", {}));
