/** The files of a cluster in deploy/, and docs/cluster.md, agree with the command and with each other. */

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import type { networkInterfaces } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { clusterOptions, startUsage } from "../../src/serve/cluster/options.ts";
import { runProgram, temporaryFolder } from "./support/server.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

const SECRETS = {
  KV_TOKEN: "t".repeat(16),
  KV_CLUSTER_KEY: "k".repeat(32),
  AWS_ACCESS_KEY_ID: "id",
  AWS_SECRET_ACCESS_KEY: "secret",
};

describe("deploy/compose.cluster.yaml", () => {
  interface Service {
    readonly command: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
    readonly ports?: readonly string[];
    readonly volumes?: readonly string[];
    readonly healthcheck?: { readonly test: readonly string[] };
  }
  const { services } = parse(read("deploy/compose.cluster.yaml"), { merge: true }) as {
    readonly services: Readonly<Record<string, Service>>;
  };

  it.each(["kv1", "kv2", "kv3"])("starts %s with options that the command accepts", async (name) => {
    const service = services[name];
    if (service === undefined) throw new Error(`there is no ${name}`);
    const { command, environment, volumes, healthcheck } = service;
    const [first, ...rest] = command;
    expect(first).toBe("cluster");
    // The names of services, and a container's addresses, are known in the container only.
    const args = rest.map((word) => word.replace(`${name}:7000`, "172.18.0.2:7000"));
    const inside = (): ReturnType<typeof networkInterfaces> => ({});
    const secrets = { ...environment, ...SECRETS };
    const options = await clusterOptions(args, secrets, "durable-kv cluster", inside);
    if (options === "help") throw new Error("it shows its help");
    expect(options.store).toMatchObject({ endpoint: "http://minio:9000", bucket: "kv", prefix: "main" });
    expect([options.host, options.port, options.data]).toEqual(["0.0.0.0", 8787, "/data"]);
    expect(rest).toContain(`${name}:7000`);
    expect(volumes).toEqual([`${name}:/data`]);
    expect(healthcheck?.test.join(" ")).toContain(`127.0.0.1:${options.adminPort}/ready`);
  });

  it("publishes the nodes to this machine only, and has no secret", () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    expect(ports.every((port) => port.startsWith("127.0.0.1:"))).toBe(true);
    for (const name of ["KV_TOKEN", "KV_CLUSTER_KEY", "AWS_SECRET_ACCESS_KEY"])
      expect(services["kv1"]?.environment[name]).toMatch(/^\$\{[A-Z_]+:\?.+\}$/);
  });
});

describe("deploy/durable-kv-cluster.service", () => {
  const unit = read("deploy/durable-kv-cluster.service");
  const setting = (name: string): string => new RegExp(`^${name}=(.*)$`, "m").exec(unit)?.[1] ?? "";

  it("starts a node with options that the command accepts, and waits until it has handed over", async () => {
    const [program, command, ...rest] = setting("ExecStart").split(" ");
    expect([program, command]).toEqual(["durable-kv", "cluster"]);
    const values: Readonly<Record<string, string>> = {
      "${KV_HOST}": "10.0.0.5",
      "${KV_PEER}": "10.0.0.5:7000",
    };
    const env = { ...SECRETS, KV_CLUSTER_BUCKET: "s3://kv/main" };
    const options = await clusterOptions(
      rest.map((word) => values[word] ?? word),
      env,
      "durable-kv cluster",
    );
    expect(options).toMatchObject({ host: "10.0.0.5", data: `%S/${setting("StateDirectory")}` });
    expect(Number(setting("TimeoutStopSec"))).toBeGreaterThan(9);
  });

  const verifies = spawnSync("systemd-analyze", ["--version"]).status === 0;
  it.runIf(verifies)("is a unit that systemd understands (not tested without systemd-analyze)", async () => {
    const folder = temporaryFolder();
    const path = join(folder.path, "durable-kv-cluster.service");
    // The package is not installed here.
    writeFileSync(path, unit.replace("=durable-kv ", `=${process.execPath} `));
    expect(await runProgram(["systemd-analyze", "verify", path])).toEqual({ code: 0, output: "" });
    await folder.remove();
  });
});

describe("deploy/grafana-cluster.json", () => {
  it("asks for metrics that there are", () => {
    const { panels } = JSON.parse(read("deploy/grafana-cluster.json")) as {
      readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
    };
    const asked = panels.flatMap(({ targets }) =>
      targets.flatMap(({ expr }) => expr.match(/durable_kv_\w+/g) ?? []),
    );
    const code = `${read("src/serve/cluster/admin.ts")} ${read("src/http/registry.ts")}`;
    expect(asked.length).toBeGreaterThan(7);
    for (const name of asked) expect(code).toContain(name.replace("durable_kv_", ""));
  });
});

describe("docs/cluster.md", () => {
  const page = read("docs/cluster.md");

  it("names options that the command has, all codes, and files that are there", () => {
    const commands = [...page.matchAll(/durable-kv cluster((?: --[a-z-]+(?: [\w./:]+)?)+)/g)];
    expect(commands.length).toBeGreaterThan(1);
    const help = startUsage("durable-kv cluster");
    for (const [, options = ""] of commands)
      for (const [option] of options.matchAll(/--[a-z-]+/g)) expect(help).toContain(option);
    for (const [, code = ""] of read("src/serve/cluster/errors.ts").matchAll(/"(cluster_\w+)"/g))
      expect(page).toContain(code);
    for (const [path] of page.matchAll(/deploy\/[\w.-]*\w/g)) expect(() => read(path)).not.toThrow();
  });
});
