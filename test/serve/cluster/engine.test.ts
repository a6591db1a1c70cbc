/** The engine of a cluster: its version, its configuration, and the folder of a node. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { capnpConfig } from "../../../src/serve/capnp.ts";
import { refuseNodeFolder } from "../../../src/serve/cluster-mark.ts";
import { nodeFolder } from "../../../src/serve/cluster/data-folder.ts";
import { clusterEngine, isAtLeast, MIN_VERSION } from "../../../src/serve/cluster/engine-path.ts";
import { temporaryFolder } from "../../e2e/support/server.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

describe("the engine of a cluster", () => {
  it("is new enough", () => {
    expect(isAtLeast(clusterEngine().version, MIN_VERSION)).toBe(true);
  });

  it.each([
    ["1.20261117.1", true],
    ["1.20261117.2", true],
    ["1.20270101.1", true],
    ["2.0.0", true],
    ["1.20261102.1", false],
    ["1.20261117.0", false],
  ])("of version %s: %s", (version, isEnough) => {
    expect(isAtLeast(version, "1.20261117.1")).toBe(isEnough);
  });

  it("has the cluster in its configuration, and nothing unsafe unless it is asked for", () => {
    const config = {
      worker: { compatibilityDate: "2026-10-01", vars: {}, objects: { BUCKET: "Bucket" } },
      code: "worker.js",
      http: "127.0.0.1:8787",
      tcp: undefined,
      data: "/data",
      inherited: [],
      control: undefined,
    };
    const cluster = {
      store: "s3://kv/main",
      endpoint: "http://10.0.0.9:9000",
      region: "us-east-1",
      address: "10.0.0.5:7000",
      advertise: undefined,
      key: 'a "key" of 32 bytes or more, quoted',
      stopTimeoutMs: 8_000,
      timeDivisor: 1,
    };
    const text = capnpConfig({ ...config, cluster });
    expect(text).toContain(
      'cluster = (bucket = "s3://kv/main", bucketOptions = ["aws_endpoint=http://10.0.0.9:9000", "aws_region=us-east-1"]',
    );
    expect(text).toContain("a \\x22key\\x22 of");
    expect(text).not.toMatch(/unsafe|secret|access_key/);
    expect(capnpConfig({ ...config, cluster: { ...cluster, timeDivisor: 5 } })).toContain(
      "unsafeTimeDivisor = 5",
    );
    expect(capnpConfig(config)).not.toContain("cluster =");
  });
});

describe("the folder of a node", () => {
  it("is marked, so that no single server takes it, and no other cluster", async () => {
    const data = join(folder.path, "nodes");
    const node = await nodeFolder(data, 1, "s3://kv/main");
    const { path } = node;
    expect(path).toBe(join(data, "node-1"));
    // Before its store was found to be good, it may still be another's.
    expect(() => refuseNodeFolder(path)).not.toThrow();
    node.mark();
    expect(() => refuseNodeFolder(path)).toThrow("(cluster_data_folder)");
    expect(() => refuseNodeFolder(folder.path)).not.toThrow();
    await expect(nodeFolder(data, 1, "s3://kv/other")).rejects.toThrow("(cluster_data_of_other_cluster)");
  });

  it("is taken with a mark that was cut off, which says nothing, and marked anew", async () => {
    const data = join(folder.path, "cut-off");
    mkdirSync(join(data, "node-1"), { recursive: true, mode: 0o700 });
    const mark = join(data, "node-1", "cluster");
    writeFileSync(mark, "");
    (await nodeFolder(data, 1, "s3://kv/main")).mark();
    expect(readFileSync(mark, "utf8")).toBe("s3://kv/main\n");
  });

  it("is not that of a single server", async () => {
    const data = join(folder.path, "single");
    mkdirSync(join(data, "durable-kv-Bucket"), { recursive: true });
    writeFileSync(join(data, "lock"), "");
    await expect(nodeFolder(data, 1, "s3://kv/main")).rejects.toThrow("(cluster_data_of_single_server)");
  });
});
