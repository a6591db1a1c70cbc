/** A cluster of two nodes: each serves everything, and says what there is to know of it. */

import { once } from "node:events";
import { connect } from "node:net";
import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "./support/server.ts";
import { kv as command } from "./support/cli.ts";
import { fetchUnchecked } from "./support/checked-fetch.ts";
import { Cluster, type ClusterNode } from "./support/cluster.ts";
import { through } from "./support/cluster-load.ts";
import { startServer } from "./support/server.ts";

let cluster: Cluster;
let one: ClusterNode;
let other: ClusterNode;

beforeAll(async () => {
  cluster = await Cluster.start(["one", "other"]);
  one = cluster.node("one");
  other = cluster.node("other");
});
afterAll(() => cluster.stop());

describe("a cluster of two nodes", () => {
  it("reads through one node what was written through the other", async () => {
    const names = Array.from({ length: 8 }, (_, n) => `both${n}`);
    for (const [n, name] of names.entries()) {
      const [writer, reader] = n % 2 === 0 ? [one, other] : [other, one];
      await through(writer).create(name);
      await through(writer).bucket<Record<string, string>>(name).put("k", name);
      expect(await through(reader).bucket<Record<string, string>>(name).get("k")).toBe(name);
    }
    const lists = await Promise.all([one, other].map((node) => fetch(`${node.http}/v1/buckets?limit=100`)));
    const [first, second] = await Promise.all(
      lists.map((list) => list.json() as Promise<{ buckets: unknown[] }>),
    );
    expect(first?.buckets.length).toBe(names.length);
    expect(second?.buckets).toEqual(first?.buckets);
  });

  it("has buckets on both nodes, each where it was first used", async () => {
    await through(one).create("home-of-one");
    await through(other).create("home-of-other");
    // The registry's partition creates a bucket: which node that is on, was decided by who first used the partition.
    const owners = await Promise.all(["home-of-one", "home-of-other"].map((name) => cluster.ownerOf(name)));
    expect(owners.every(({ name }) => name === "one" || name === "other")).toBe(true);
  });

  it("serves atomic counters to callers of both nodes", async () => {
    await through(one).create("counter");
    const increments = Array.from({ length: 40 }, (_, n) =>
      through(n % 2 === 0 ? one : other)
        .bucket<Record<string, number>>("counter")
        .increment("hits"),
    );
    const values = (await Promise.all(increments)).map(({ value }) => Number(value));
    expect(values.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
  });

  it("says at each node whether it is ready, and figures for Prometheus", async () => {
    for (const { admin } of [one, other]) {
      expect((await fetchUnchecked(`${admin}/ready`)).status).toBe(200);
      const text = await (await fetchUnchecked(`${admin}/metrics`)).text();
      expect(text).toContain("durable_kv_node_ready 1");
      expect(text).toContain("durable_kv_store_up 1");
      expect(text).toContain("durable_kv_node_engine_restarts_total 0");
      expect(text).toMatch(/durable_kv_node_info\{version="\d+\.\d+\.\d+",workerd="1\.\d+\.1"\} 1/);
    }
  });

  it("goes on whatever is asked of its port for operators", async () => {
    const { hostname, port } = new URL(one.admin);
    for (const path of ["//", "//x:99999/", "http://[", "*"]) {
      const socket = connect(Number(port), hostname);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      await once(socket.resume(), "close");
    }
    expect((await fetchUnchecked(`${one.admin}/ready`)).status).toBe(200);
  });

  it("has a status with nodes, and who owns how many buckets", async () => {
    const ids = cluster.bucketIds();
    const { code, output } = await cluster.run("status", "--json");
    const nodes = output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(code).toBe(0);
    expect(new Set(nodes.map(({ peer }) => peer))).toEqual(new Set([one.peer(), other.peer()]));
    expect(nodes.map(({ state }) => state)).toEqual(["ready", "ready"]);
    expect(nodes.reduce((sum, { buckets }) => sum + Number(buckets), 0)).toBe(ids.length);
    expect(nodes.every(({ workerd }) => String(workerd).startsWith("1."))).toBe(true);
    expect((await cluster.run("status")).output).toContain("it answers");
    // As `npm run cluster -- status` calls it.
    expect((await cluster.run("--parent", "1", "status")).output).toContain("it answers");
  });

  it("keeps neither key nor credentials on a command line or in a file of the engine's", async () => {
    const [pid, engine] = [one.pid, await one.enginePid()];
    for (const each of [pid, engine]) {
      const line = readFileSync(`/proc/${each}/cmdline`, "utf8");
      expect(line).not.toContain("tests-only-secret");
      expect(line).not.toContain("a-key-of-the-tests");
    }
    // The engine has read its configuration, which has the key: it is gone from the folder that it was in.
    const words = readFileSync(`/proc/${engine}/cmdline`, "utf8").split("\0");
    const configuration = words.find((word) => word.endsWith("config.capnp")) ?? "";
    const left = readdirSync(dirname(configuration));
    expect(left).toContain("control");
    expect(left).not.toContain("config.capnp");
  });

  it("takes the data of a single server by export and import, and gives it back", async () => {
    const [folder, back, data] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
    const single = await startServer({ data: data.path, tcp: false });
    try {
      const from = through({ ...one, http: single.http });
      await from.create("moved");
      await from.bucket<Record<string, string>>("moved").put("k", "kept");
      const out = `${folder.path}/all`;
      expect((await command({ url: single.http }, "export", "--all", out)).code).toBe(0);
      expect((await command({ url: one.http }, "import", "--all", out)).code).toBe(0);
      expect(await through(other).bucket<Record<string, string>>("moved").get("k")).toBe("kept");
      // And back: a backup through any node.
      const all = `${back.path}/all`;
      expect((await command({ url: other.http }, "export", "--all", all)).code).toBe(0);
      const again = await startServer({ tcp: false });
      expect((await command({ url: again.http }, "import", "--all", all)).code).toBe(0);
      const restored = through({ ...one, http: again.http }).bucket<Record<string, string>>("moved");
      expect(await restored.get("k")).toBe("kept");
      await again.stop();
    } finally {
      await single.stop();
      await Promise.all([folder.remove(), back.remove()]);
    }
    // The folder itself is refused, with the words that say how to go on.
    const refused = await cluster.run("--data", data.path, "--port", "0", "--admin-port", "0", "--no-tcp");
    expect(refused.code).toBe(1);
    expect(refused.output).toContain("kv export --all");
    expect(refused.output).toContain("kv import --all");
    expect(refused.output).toContain("(cluster_data_of_single_server)");
    await data.remove();
  });
});
