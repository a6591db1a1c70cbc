/** Backup by the store's own versions: all objects of a cluster, restored to one moment. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster } from "./support/cluster.ts";
import { through, Writer } from "./support/cluster-load.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start(["one", "other"]);
});
afterAll(() => cluster.stop());

const BUCKETS = ["apples", "pears", "plums"];

describe("a cluster whose store is restored to one moment", { timeout: 120_000 }, () => {
  it("has what was acknowledged by then, nothing of what came later, and goes on", async () => {
    const [one, other] = [through(cluster.node("one")), through(cluster.node("other"))];
    for (const [n, name] of BUCKETS.entries()) {
      await one.create(name);
      await other.bucket<Record<string, string>>(name).put("k", `first ${n}`);
    }
    // Writes are under way in the moment that is gone back to.
    await one.create("counted");
    const writer = new Writer(one, "counted").start();
    await writer.nextAcknowledged();
    await writer.nextAcknowledged();
    const before = writer.acknowledged;
    const moment = cluster.s3.objects.moment();
    const sent = writer.sent;
    await writer.nextAcknowledged();
    await writer.stop();

    await one.bucket<Record<string, string>>("apples").put("k", "second");
    await other.stop("pears");
    await one.create("late");
    await Promise.all([...cluster.nodes.values()].map((node) => cluster.lose(node.name)));
    cluster.s3.objects.restore(moment);

    // Their folders are empty: what the old ones have is of another time.
    const again = through(await cluster.startNode("third"));
    await cluster.startNode("fourth");
    for (const [n, name] of BUCKETS.entries()) {
      const read = (): Promise<unknown> => again.bucket(name).get("k").catch(String);
      await expect.poll(read, { timeout: 60_000 }).toBe(`first ${n}`);
    }
    const counted = Number(await again.bucket<Record<string, number>>("counted").get("n"));
    expect(counted).toBeGreaterThanOrEqual(before);
    expect(counted).toBeLessThanOrEqual(sent);
    expect(await again.lookup("late")).toBeUndefined();
    const names = [];
    for await (const { name } of again.buckets()) names.push(name);
    expect(names).toEqual([...BUCKETS, "counted"].toSorted());

    await again.create("late");
    await again.bucket<Record<string, string>>("pears").put("k", "third");
    expect(await through(cluster.node("fourth")).bucket("pears").get("k")).toBe("third");
  });
});
