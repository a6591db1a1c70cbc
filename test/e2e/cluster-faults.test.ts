/** A cluster under what happens to machines: nodes are lost with their disks, restarted one by one, and the store is away. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Kv } from "../../src/client/index.ts";
import { fetchUnchecked } from "./support/checked-fetch.ts";
import { Cluster } from "./support/cluster.ts";
import { openTcp } from "./support/transports.ts";
import { Balancer, through, writers, type Writer } from "./support/cluster-load.ts";

let cluster: Cluster;
let kv: Kv;

beforeAll(async () => {
  cluster = await Cluster.start(["a", "b", "c"]);
  kv = new Kv({ url: "http://cluster.test", fetch: new Balancer(cluster).fetch });
});
afterAll(() => cluster.stop());

/** Everything acknowledged is stored, and nothing that was never sent. */
async function expectKept(all: readonly Writer[]): Promise<void> {
  for (const writer of all) {
    const stored = await writer.stored();
    expect([writer.bucket, stored >= writer.acknowledged, stored <= writer.sent]).toEqual([
      writer.bucket,
      true,
      true,
    ]);
  }
}

describe("a cluster of three nodes", { timeout: 120_000 }, () => {
  it("fails no request that the client may retry while its nodes are restarted one by one", async () => {
    const load = (await writers(kv, ["r0", "r1", "r2", "r3"])).map((writer) => writer.start());
    for (const name of ["a", "b", "c"]) {
      await Promise.all(load.map((writer) => writer.nextAcknowledged()));
      const { code } = await cluster.node(name).stop();
      expect(code).toBe(0);
      await cluster.startNode(name);
    }
    await Promise.all(load.map((writer) => writer.nextAcknowledged()));
    await Promise.all(load.map((writer) => writer.stop()));
    expect(load.flatMap(({ failures }) => failures)).toEqual([]);
    await expectKept(load);
  });

  it("loses no acknowledged write when the owner is killed and its disk deleted", async () => {
    const names = ["k0", "k1", "k2", "k3", "k4", "k5"];
    const load = (await writers(kv, names)).map((writer) => writer.start());
    await Promise.all(load.map((writer) => writer.nextAcknowledged()));
    const owner = await cluster.ownerOf("k0");
    const ids = cluster.bucketIds();
    await cluster.lose(owner.name);
    // Each bucket is taken over: a write that is sent after the loss is acknowledged.
    await Promise.all(load.map((writer) => writer.nextAcknowledged()));
    await Promise.all(load.map((writer) => writer.stop()));
    await expectKept(load);
    expect((await cluster.ownerOf("k0")).name).not.toBe(owner.name);
    expect(cluster.bucketIds()).toEqual(ids);
    await cluster.startNode(owner.name);
  });

  it("starts a crashed engine again, and its buckets need not wait for its lease", async () => {
    await kv.create("crashed");
    await kv.bucket<Record<string, string>>("crashed").put("k", "v");
    const owner = await cluster.ownerOf("crashed");
    process.kill(await owner.enginePid(), "SIGKILL");
    await owner.prints(/Its lease is released/);
    await owner.prints(/The engine is back\./);
    await expect.poll(() => kv.bucket<Record<string, string>>("crashed").get("k").catch(String)).toBe("v");
  });

  it("acknowledges nothing while the store is away, and goes on when it is back", async () => {
    const load = (await writers(kv, ["s0", "s1", "s2"])).map((writer) => writer.start());
    await Promise.all(load.map((writer) => writer.nextAcknowledged()));
    const nodes = [...cluster.nodes.values()];
    cluster.s3.spoil("away");
    await cluster.s3.next(({ status }) => status === 0);
    // At most the one that was on its way is acknowledged: what is sent from here on can't be stored.
    const before = load.map(({ acknowledged }) => acknowledged + 1);
    // The leases end, and the nodes wait.
    await Promise.all(nodes.map((node) => node.prints(/Waiting for the store\./)));
    expect(load.map(({ acknowledged }, n) => acknowledged <= (before[n] ?? 0))).toEqual([true, true, true]);
    const answers = await Promise.all(
      nodes.map(({ admin }) => fetchUnchecked(`${admin}/ready`).then(({ status }) => status)),
    );
    expect(answers).toEqual([503, 503, 503]);
    cluster.s3.mend();
    await Promise.all(nodes.map((node) => node.prints(/The engine is back\./)));
    await Promise.all(load.map((writer) => writer.nextAcknowledged()));
    await Promise.all(load.map((writer) => writer.stop()));
    await expectKept(load);
  });

  it("answers 503 while the store is full, keeps what it has, and goes on when there is room", async () => {
    await kv.create("full");
    const bucket = kv.bucket<Record<string, number>>("full");
    await bucket.put("k", 1);
    const [a] = cluster.nodes.values();
    cluster.s3.spoil("full");
    const put = await fetch(`${a?.http}/v1/buckets/full/keys/k`, { method: "PUT", body: "2" });
    expect(put.status).toBe(503);
    cluster.s3.mend();
    await expect.poll(() => bucket.put("k", 3).then(() => bucket.get("k"), String)).toBe(3);
  });

  it("drains a node on command: its buckets move, and its process ends without an error", async () => {
    await kv.create("drained");
    await kv.bucket<Record<string, string>>("drained").put("k", "v");
    const owner = await cluster.ownerOf("drained");
    // One who stays connected is told.
    const tcp = await openTcp(owner.tcpPort);
    expect(await tcp.ask("PING\n", 1)).toBe("PONG\r\n");
    const { code, output } = await cluster.run("drain", "--data", owner.data);
    expect([code, output]).toEqual([0, expect.stringContaining("is stopped")]);
    expect(await tcp.rest()).toMatch(/^ERROR SERVER_STOPPING [^\r\n]+\r\n$/);
    cluster.nodes.delete(owner.name);
    const [other] = cluster.nodes.values();
    if (other === undefined) throw new Error("no node is left");
    expect(await through(other).bucket<Record<string, string>>("drained").get("k")).toBe("v");
    const again = await cluster.run("drain", "--data", owner.data);
    expect([again.code, again.output]).toEqual([1, expect.stringContaining("(cluster_not_running)")]);
    await cluster.startNode(owner.name);
  });
});
