/** Creates and destroys thousands of buckets, for the registry's benches. */

import { rmSync } from "node:fs";
import type { Server } from "../servers.ts";
import { filesOf } from "./files.ts";

const AT_ONCE = 16;

/** Runs a task for each item, several in parallel. */
async function forEach<T>(items: readonly T[], task: (item: T) => Promise<unknown>): Promise<void> {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let item = queue.pop(); item !== undefined; item = queue.pop()) await task(item);
    }),
  );
}

/** @returns the ids of the buckets' objects, by name */
export async function createBuckets(
  { http }: Server,
  names: readonly string[],
  restart: "permanent" | "temporary",
): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  await forEach(names, async (name) => {
    const response = await fetch(`http://127.0.0.1:${http}/v1/buckets/${name}`, {
      method: "PUT",
      body: JSON.stringify({ restart }),
    });
    const { id } = (await response.json()) as { id: string };
    ids.set(name, id);
  });
  return ids;
}

/** Deletes an object's files while no server runs, to simulate lost storage. */
export function deleteObjects(data: string, ids: readonly string[]): void {
  const wanted = new Set(ids);
  for (const file of filesOf(data)) {
    const id = /([0-9a-f]{64})\.sqlite/.exec(file)?.[1];
    if (id !== undefined && wanted.has(id)) rmSync(file);
  }
}
