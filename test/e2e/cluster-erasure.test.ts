/** What is stopped is gone from the store: first its data, and then what is left of it. */

import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { ErasedObjects } from "../../src/serve/cluster/erased-objects.ts";
import { WAIT_MS } from "../../src/serve/freed-ids.ts";
import { OBJECTS } from "../../src/serve/cluster/layout.ts";
import { Cluster, type ClusterNode } from "./support/cluster.ts";
import { through } from "./support/cluster-load.ts";

const { clusterErasures: COUNT } = inject("sizes");
const AT_ONCE = 16;

let cluster: Cluster;
let one: ClusterNode;

beforeAll(async () => {
  cluster = await Cluster.start(["one", "other"]);
  one = cluster.node("one");
});
afterAll(() => cluster.stop());

const objects = (): string[] => cluster.s3.objects.keys().filter((key) => key.includes(`/${OBJECTS}`));

async function each(
  names: readonly string[],
  run: (name: string, n: number) => Promise<unknown>,
): Promise<void> {
  const rest = [...names.entries()];
  const worker = async (): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await run(next[1], next[0]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

describe(`${COUNT} buckets that were created and stopped`, { timeout: 300_000 }, () => {
  it("leave nothing of themselves in the store", async () => {
    // The registry's partitions are there from now on.
    const others = Array.from({ length: 64 }, (_, n) => `stays${n}`);
    await each(others, (name) => through(one).create(name));
    await expect.poll(() => cluster.bucketIds().length).toBe(others.length);
    const stay = new Set(cluster.bucketIds());

    const names = Array.from({ length: COUNT }, (_, n) => `gone${n}`);
    await each(names, async (name, n) => {
      const node = n % 2 === 0 ? one : cluster.node("other");
      await through(node).create(name);
      await through(node).bucket<Record<string, string>>(name).put("k", `of ${name}`);
    });
    const created = cluster.bucketIds().filter((id) => !stay.has(id));
    expect(created.length).toBe(COUNT);
    // A call that meets a hand-over may have an unknown outcome: whatever it was, a second stop ends it.
    await each(names, async (name) => {
      const stopped = (): Promise<boolean> =>
        through(one)
          .stop(name)
          .then(
            () => true,
            () => false,
          );
      await expect.poll(stopped).toBe(true);
    });

    // A node removes what is left of them some minutes after their end: here the clock is put forward. What the engine
    // still writes of those that it has not closed yet is removed with the next check.
    let now = 0;
    const left = (): string[] => created.filter((id) => cluster.objectKeys(id).length > 0);
    const asked = left();
    const erased = new ErasedObjects({
      store: cluster.store,
      freed: async () => asked.splice(0),
      clock: () => now,
    });
    expect(await erased.check()).toBe(0);
    const removeLeft = async (): Promise<number> => {
      now += WAIT_MS;
      await erased.check();
      asked.push(...left());
      await erased.check();
      return asked.length + left().length;
    };
    await expect.poll(removeLeft, { timeout: 60_000, interval: 500 }).toBe(0);
    console.log(
      `erasure: ${COUNT} buckets, ${objects().length} objects of ${cluster.bucketIds().length} other buckets and of the registry stay`,
    );
    expect(new Set(cluster.bucketIds())).toEqual(stay);

    // Their names are free, and nobody sees anything old.
    const [first = ""] = names;
    expect(await through(cluster.node("other")).lookup(first)).toBeUndefined();
    expect((await through(one).create(first)).created).toBe(true);
    expect(await through(one).bucket<Record<string, string>>(first).get("k")).toBeUndefined();
  });
});
