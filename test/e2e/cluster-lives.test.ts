/** The lives of buckets in a cluster: the registry, DOWN, watchers and alarms hold when their node is lost. */

import { afterAll, beforeEach, beforeAll, describe, expect, it } from "vitest";
import { Cluster, type ClusterNode } from "./support/cluster.ts";
import { through } from "./support/cluster-load.ts";

let cluster: Cluster;
let count = 0;
/** Owns what is created first, and is lost; the other stays. */
let lost: ClusterNode;
let stays: ClusterNode;

beforeAll(async () => {
  // One partition, so that one node has the whole registry.
  cluster = await Cluster.start(["stays"], { environment: { KV_PARTITIONS: "1", KV_HEARTBEAT_MS: "1000" } });
  stays = cluster.node("stays");
});
beforeEach(async () => {
  count += 1;
  lost = await cluster.startNode(`lost${count}`);
});
afterAll(() => cluster.stop());

/** Makes `lost` the owner of all that is used next: the node that stays has nothing loaded after it has been started anew. */
async function moveAllToLost(): Promise<void> {
  await stays.stop();
  await through(lost).buckets().next();
  stays = await cluster.startNode("stays");
}

describe("when the node of a bucket and of its registry is lost", { timeout: 120_000 }, () => {
  it("DOWN arrives once at a monitor that is connected to another node", async () => {
    await moveAllToLost();
    await through(lost).create("monitored", { restart: "temporary" });
    expect((await cluster.ownerOf("monitored")).name).toBe(lost.name);
    const response = await fetch(`${stays.http}/v1/buckets/monitored/monitor`);
    expect(response.status).toBe(200);
    await response.body?.cancel();
    const events = through(stays).monitor("monitored");
    const down = (async () => {
      const seen = [];
      for await (const { event, reason } of events) seen.push([event, reason]);
      return seen;
    })();
    await cluster.lose(lost.name);
    await expect
      .poll(() =>
        through(stays)
          .exit("monitored", "no more")
          .catch(() => false),
      )
      .toBe(true);
    // `noproc` if the loss of the node has broken the monitor, and it could begin again only after the end.
    const [[event, reason] = [], ...others] = await down;
    expect([event, others]).toEqual(["DOWN", []]);
    expect(["no more", "noproc"]).toContain(reason);
    expect(await through(stays).lookup("monitored")).toBeUndefined();
  });

  it("a watcher at another node hears every change, before the loss and after it", async () => {
    await moveAllToLost();
    await through(lost).create("watched");
    const bucket = through(stays).bucket<Record<string, number>>("watched");
    const end = new AbortController();
    const heard: number[] = [];
    const { promise: open, resolve: isOpen } = Promise.withResolvers<void>();
    const watching = (async () => {
      for await (const change of bucket.watch({ since: 0, signal: end.signal, onOpen: () => isOpen() })) {
        if (change.event === "put") heard.push(Number(change.value));
        if (heard.includes(20)) return;
      }
    })();
    await open;
    for (let n = 1; n <= 10; n += 1) await bucket.put("k", n);
    await cluster.lose(lost.name);
    for (let n = 11; n <= 20; n += 1)
      await expect.poll(() => bucket.put("k", n).then(() => "put", String)).toBe("put");
    await watching;
    end.abort();
    // A put whose answer was lost is sent again, and is then heard of twice.
    expect([...new Set(heard)]).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  it("an alarm that was due meanwhile runs on another node: an entry expires, and its watcher is told", async () => {
    await moveAllToLost();
    await through(lost).create("expires");
    const bucket = through(stays).bucket<Record<string, number>>("expires");
    await bucket.put("k", 1, { ttl: 1 });
    await cluster.lose(lost.name);
    const expired = (async () => {
      for await (const change of bucket.watch({ since: 0 }))
        if (change.event === "expired") return change.key;
      return undefined;
    })();
    expect(await expired).toBe("k");
  });

  it("a name is free after its bucket's end, and a bucket that is created anew is empty", async () => {
    await moveAllToLost();
    await through(lost).create("again");
    await through(lost).bucket<Record<string, number>>("again").put("old", 1);
    await through(stays).stop("again");
    await cluster.lose(lost.name);
    await expect
      .poll(() =>
        through(stays)
          .create("again")
          .then(({ created }) => created, String),
      )
      .toBe(true);
    expect(await through(stays).bucket<Record<string, number>>("again").get("old")).toBeUndefined();
  });
});
