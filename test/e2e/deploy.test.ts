/** The files in deploy/ agree with the server, with each other, and with this checkout. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { serveOptions } from "../../src/serve/options.ts";
import { runProgram, temporaryFolder } from "./support/server.ts";
import { server } from "./support/shared-server.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const TOKEN = "sixteen letters!";
const SERVED = { host: "0.0.0.0", port: 8787, tcpPort: 4040, data: "/data", parent: undefined };

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

interface Instruction {
  readonly name: string;
  readonly value: string;
}

/** The instructions of a Dockerfile, each on one line. */
function instructions(path: string): Instruction[] {
  return read(path)
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => ({ name: line.split(" ", 1)[0] ?? "", value: line.slice(line.indexOf(" ") + 1) }));
}

describe("deploy/Dockerfile", () => {
  const all = instructions("deploy/Dockerfile");
  const values = (name: string): string[] =>
    all.filter((instruction) => instruction.name === name).map(({ value }) => value);
  const list = (text = ""): string[] => JSON.parse(text) as string[];

  it("copies what this checkout has", () => {
    const copied = values("COPY").filter((value) => !value.startsWith("--from="));
    const sources = copied.flatMap((value) => value.split(" ").slice(0, -1));
    expect(sources).not.toEqual([]);
    expect(sources.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it("has the Node that this checkout runs on, on Debian", () => {
    const { optionalDependencies } = JSON.parse(read("toolchain/package.json")) as {
      readonly optionalDependencies: { readonly node: string };
    };
    const [major = ""] = optionalDependencies.node.split(".");
    for (const base of values("FROM")) expect(base).toMatch(new RegExp(`^node:${major}-trixie-slim\\b`));
  });

  it("starts the server with options that it accepts, and not without a token", () => {
    expect(list(values("ENTRYPOINT")[0])).toEqual(["durable-kv"]);
    const [command, ...options] = list(values("CMD")[0]);
    expect(command).toBe("serve");
    expect(serveOptions(options, TOKEN)).toEqual(SERVED);
    expect(() => serveOptions(options, undefined)).toThrow("KV_TOKEN");
    expect(values("EXPOSE")).toEqual([`${SERVED.port} ${SERVED.tcpPort}`]);
    expect(values("VOLUME")).toEqual([SERVED.data]);
  });

  it("runs it as a user that is not root and owns the data folder", () => {
    expect(values("USER")).toEqual(["1000:1000"]);
    expect(values("RUN").join("\n")).toContain("--owner=node --group=node --mode=0700 /data");
  });

  it("checks the health of a server that runs, and of one that does not", async () => {
    const [check = ""] = values("HEALTHCHECK");
    const [node = "", ...args] = list(check.slice(check.indexOf("[")));
    expect(node).toBe("node");
    const health = async (port: number): Promise<number | null> => {
      const command = args.map((arg) => arg.replace(`:${SERVED.port}/`, `:${port}/`));
      return (await runProgram([process.execPath, ...command])).code;
    };
    expect(await health(server.httpPort)).toBe(0);
    // Nothing speaks HTTP there.
    expect(await health(server.tcpPort)).toBe(1);
  });
});

describe("deploy/compose.yaml", () => {
  const { services } = parse(read("deploy/compose.yaml")) as {
    readonly services: {
      readonly kv: {
        readonly build: { readonly context: string; readonly dockerfile: string };
        readonly environment: Readonly<Record<string, string>>;
        readonly ports: readonly string[];
        readonly volumes: readonly string[];
      };
    };
  };
  const { build, environment, ports, volumes } = services.kv;

  it("builds this checkout", () => {
    expect(resolve(ROOT, "deploy", build.context)).toBe(ROOT);
    expect(existsSync(join(ROOT, build.dockerfile))).toBe(true);
  });

  it("publishes the image's ports to this machine only, and keeps its volume", () => {
    expect(ports).toEqual([SERVED.port, SERVED.tcpPort].map((port) => `127.0.0.1:${port}:${port}`));
    expect(volumes).toEqual([`data:${SERVED.data}`]);
  });

  it("does not start without a token", () => {
    expect(environment["KV_TOKEN"]).toMatch(/^\$\{KV_TOKEN:\?.+\}$/);
  });
});

describe("deploy/durable-kv.service", () => {
  const unit = read("deploy/durable-kv.service");
  const setting = (name: string): string => new RegExp(`^${name}=(.*)$`, "m").exec(unit)?.[1] ?? "";

  it("starts the server with options that it accepts, in the folder that systemd makes for it", () => {
    const [program, command, ...options] = setting("ExecStart").split(" ");
    expect([program, command]).toEqual(["durable-kv", "serve"]);
    const data = `%S/${setting("StateDirectory")}`;
    expect(serveOptions(options, TOKEN)).toEqual({ ...SERVED, host: "127.0.0.1", data });
  });

  const verifies = spawnSync("systemd-analyze", ["--version"]).status === 0;
  it.runIf(verifies)("is a unit that systemd understands (not tested without systemd-analyze)", async () => {
    const folder = temporaryFolder();
    const path = join(folder.path, "durable-kv.service");
    // The package is not installed here.
    writeFileSync(path, unit.replace("=durable-kv ", `=${process.execPath} `));
    expect(await runProgram(["systemd-analyze", "verify", path])).toEqual({ code: 0, output: "" });
    await folder.remove();
  });
});

describe("docs/self-hosting.md", () => {
  const page = read("docs/self-hosting.md");

  it("starts the server with options that it accepts", () => {
    const commands = [...page.matchAll(/durable-kv serve((?: --?[a-z-]+(?: [\w./]+)?)*)/g)];
    expect(commands.length).toBeGreaterThan(3);
    for (const [command, options = ""] of commands) {
      expect(() => serveOptions(options.split(" ").filter(Boolean), TOKEN), command).not.toThrow();
    }
  });

  it("names files that are there", () => {
    const paths = [...page.matchAll(/deploy\/[\w.-]+/g)].map(([path]) => path);
    expect(new Set(paths)).toEqual(
      new Set(["deploy/Dockerfile", "deploy/compose.yaml", "deploy/durable-kv.service", "deploy/.env"]),
    );
    expect(read(".gitignore").split("\n")).toContain(".env");
  });
});
