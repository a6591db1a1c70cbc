/** The command line of `durable-kv cluster`: what it takes, and what it refuses, with which code. */

import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import type { NetworkInterfaceInfo } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { checkPrivate } from "../../../src/serve/cluster/address.ts";
import { clusterOptions, type ClusterOptions } from "../../../src/serve/cluster/options.ts";
import { checkPorts } from "../../../src/serve/cluster/ports.ts";
import { engineEnvironment } from "../../../src/serve/cluster/secrets.ts";
import { temporaryFolder } from "../../e2e/support/server.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

const ENV = {
  KV_CLUSTER_BUCKET: "s3://kv/main",
  KV_CLUSTER_KEY: "k".repeat(32),
  AWS_ACCESS_KEY_ID: "id",
  AWS_SECRET_ACCESS_KEY: "secret",
};

async function parsed(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<ClusterOptions> {
  const options = await clusterOptions(args, { ...ENV, ...env }, "durable-kv cluster");
  if (options === "help") throw new Error("it shows its help");
  return options;
}

describe("the options of a cluster", () => {
  it("are few: the bucket, the key, the credentials", async () => {
    const { store, nodes, peer, port, tcpPort, data, timeDivisor } = await parsed();
    expect([store.bucket, store.prefix, store.region]).toEqual(["kv", "main", "us-east-1"]);
    expect(store.endpoint).toBe("https://s3.us-east-1.amazonaws.com");
    expect([nodes, port, tcpPort, timeDivisor]).toEqual([1, 8787, 4040, 1]);
    expect(peer).toEqual({ host: "127.0.0.1", port: 0 });
    expect(data).toBe(".data-cluster");
  });

  it("shows its help without any of them", async () => {
    expect(await clusterOptions(["--help"], {}, "durable-kv cluster")).toBe("help");
  });

  it.each([
    ["an unknown option", ["--replicas", "3"], {}, "cluster_option_invalid"],
    ["a word", ["begin"], {}, "cluster_option_invalid"],
    ["no bucket", [], { KV_CLUSTER_BUCKET: "" }, "cluster_option_invalid"],
    ["a bucket that is no URL", ["--bucket", "kv"], {}, "cluster_option_invalid"],
    ["a prefix that leads elsewhere", ["--bucket", "s3://kv/../other"], {}, "cluster_option_invalid"],
    ["a prefix of dots", ["--bucket", "s3://kv/.."], {}, "cluster_option_invalid"],
    ["a prefix with an empty part", ["--bucket", "s3://kv/main//"], {}, "cluster_option_invalid"],
    ["a bucket elsewhere", ["--bucket", "gs://kv"], {}, "cluster_option_invalid"],
    ["an endpoint with a path", ["--endpoint", "http://127.0.0.1:9000/s3"], {}, "cluster_endpoint_path"],
    ["an endpoint that is no URL", ["--endpoint", "minio:9000"], {}, "cluster_option_invalid"],
    ["an endpoint with a password", ["--endpoint", "http://a:b@minio:9000"], {}, "cluster_option_invalid"],
    ["no key", [], { KV_CLUSTER_KEY: "" }, "cluster_key_missing"],
    ["a short key", [], { KV_CLUSTER_KEY: "short" }, "cluster_key_too_short"],
    ["a key file that is not there", ["--key-file", "/none"], {}, "cluster_option_invalid"],
    ["no credentials", [], { AWS_SECRET_ACCESS_KEY: "" }, "cluster_credentials_missing"],
    ["a public address", ["--peer", "8.8.8.8:7000"], {}, "cluster_address_public"],
    ["a public IPv6 address", ["--peer", "[2606:4700::1]:7000"], {}, "cluster_address_public"],
    [
      "a public address for others",
      ["--peer", "10.0.0.5:7000", "--advertise", "1.1.1.1:7000"],
      {},
      "cluster_address_public",
    ],
    ["a name without an address", ["--peer", "no.such.host.invalid:7000"], {}, "cluster_address_unknown"],
    ["a wildcard alone", ["--peer", "0.0.0.0:7000"], {}, "cluster_option_invalid"],
    [
      "a wildcard for others",
      ["--peer", "0.0.0.0:7000", "--advertise", "0.0.0.0:7000"],
      {},
      "cluster_option_invalid",
    ],
    ["an address without a port", ["--peer", "10.0.0.5"], {}, "cluster_option_invalid"],
    ["no node", ["--nodes", "0"], {}, "cluster_option_invalid"],
    ["too many nodes", ["--nodes", "17"], {}, "cluster_option_invalid"],
    [
      "many nodes at one address",
      ["--nodes", "2", "--advertise", "10.0.0.5:7000"],
      {},
      "cluster_option_invalid",
    ],
    [
      "a shortened lease on a network",
      ["--peer", "10.0.0.5:7000"],
      { KV_CLUSTER_TIME_DIVISOR: "5" },
      "cluster_option_invalid",
    ],
    ["a port that is none", ["--port", "70000"], {}, "cluster_option_invalid"],
    ["a port beyond the last", ["--nodes", "3", "--port", "65534"], {}, "cluster_option_invalid"],
    [
      "ports of several nodes that overlap",
      ["--nodes", "3", "--port", "8787", "--tcp-port", "8789"],
      {},
      "cluster_option_invalid",
    ],
    [
      "a port for operators that is another node's",
      ["--nodes", "2", "--admin-port", "8788"],
      {},
      "cluster_option_invalid",
    ],
    ["one port for two", ["--admin-port", "8787"], {}, "cluster_option_invalid"],
    [
      "one port for two, by name",
      ["--host", "localhost", "--admin-port", "8787"],
      {},
      "cluster_option_invalid",
    ],
    ["a wildcard in another spelling", ["--peer", "0:7000"], {}, "cluster_option_invalid"],
    ["a wildcard of IPv6 in another spelling", ["--peer", "[::0]:7000"], {}, "cluster_option_invalid"],
    ["two words about TCP", ["--no-tcp", "--tcp-port", "1"], {}, "cluster_option_invalid"],
  ] as const)("refuse %s", async (_, args, env, code) => {
    await expect(parsed(args, env)).rejects.toThrow(`(${code})`);
  });

  it("refuse to listen for other machines without a token, as a single server does", async () => {
    const open = parsed(["--host", "0.0.0.0"]);
    await expect(open).rejects.toThrow(/KV_TOKEN.*\(cluster_token_missing\)/);
    await expect(parsed(["--host", "0.0.0.0"], { KV_TOKEN: "short" })).rejects.toThrow(
      "(cluster_token_missing)",
    );
    expect((await parsed(["--host", "0.0.0.0"], { KV_TOKEN: "t".repeat(16) })).host).toBe("0.0.0.0");
  });

  it.each([
    "10.1.2.3:7000",
    "172.16.0.1:7000",
    "192.168.1.1:0",
    "100.64.0.1:7000",
    "[fd00::5]:7000",
    "localhost:0",
  ])("take the private address %s", async (peer) => {
    await expect(parsed(["--peer", peer])).resolves.toBeDefined();
  });

  it("refuse a wildcard where the machine has a public address, and take it where it has none", async () => {
    const at = (address: string, family: "IPv4" | "IPv6"): NetworkInterfaceInfo =>
      ({ address, family }) as NetworkInterfaceInfo;
    const inside = (): NodeJS.Dict<NetworkInterfaceInfo[]> => ({
      lo: [at("127.0.0.1", "IPv4")],
      eth0: [at("10.0.0.5", "IPv4"), at("2606:4700::1", "IPv6")],
    });
    const outside = (): NodeJS.Dict<NetworkInterfaceInfo[]> => ({ eth0: [at("8.8.8.8", "IPv4")] });
    await checkPrivate("--peer", { host: "0.0.0.0", port: 1 }, inside);
    const silent = (): never => {
      throw new Error("uv_interface_addresses returned Unknown system error 97");
    };
    await expect(checkPrivate("--peer", { host: "0.0.0.0", port: 1 }, silent)).rejects.toThrow(
      "(cluster_address_unknown)",
    );
    for (const [host, interfaces] of [
      ["::", inside],
      ["0.0.0.0", outside],
      ["::", outside],
    ] as const)
      await expect(checkPrivate("--peer", { host, port: 1 }, interfaces)).rejects.toThrow(
        "(cluster_address_public)",
      );
  });

  it("take ports of several nodes that are far enough apart, and one port at two addresses", async () => {
    for (const args of [
      ["--nodes", "3", "--port", "8787", "--tcp-port", "8790", "--admin-port", "8793"],
      ["--nodes", "3", "--port", "0", "--tcp-port", "0", "--admin-port", "0"],
      ["--peer", "127.0.0.2:8787"],
      ["--peer", "[::1]:8787"],
    ])
      await expect(parsed(args)).resolves.toBeDefined();
  });

  it("name the port that is in use, and the address that is not this machine's", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    for (const args of [
      ["--port", String(port), "--tcp-port", "0", "--admin-port", "0"],
      ["--peer", "10.99.99.99:7000", "--port", "0", "--tcp-port", "0", "--admin-port", "0"],
    ])
      await expect(checkPorts(await parsed(args))).rejects.toThrow("(cluster_port_unavailable)");
    server.close();
  });

  it("read key and credentials from files, and the credentials again when the file is replaced", async () => {
    const [key, credentials] = [join(folder.path, "key"), join(folder.path, "credentials")];
    writeFileSync(key, `${"f".repeat(64)}\n`);
    writeFileSync(credentials, 'AWS_ACCESS_KEY_ID=one\nexport AWS_SECRET_ACCESS_KEY="first"\n');
    const options = await parsed(["--key-file", key, "--credentials", credentials]);
    expect(options.key).toBe("f".repeat(64));
    expect(options.store.credentials.read()).toEqual({ accessKeyId: "one", secretAccessKey: "first" });
    writeFileSync(credentials, "AWS_ACCESS_KEY_ID=two\nAWS_SECRET_ACCESS_KEY=second\nAWS_SESSION_TOKEN=t\n");
    expect(options.store.credentials.read()).toEqual({
      accessKeyId: "two",
      secretAccessKey: "second",
      sessionToken: "t",
    });
    // The engine reads the file itself, and gets no other variable of the store's.
    const env = { ...ENV, AWS_ENDPOINT_URL: "http://elsewhere", PATH: "/bin" };
    expect(engineEnvironment(options.store.credentials, env)).toEqual({
      AWS_CREDENTIALS_FILE: credentials,
      KV_CLUSTER_BUCKET: "s3://kv/main",
      PATH: "/bin",
    });
  });
});
