/** The package as npm would publish it, used in every way that README.md offers. */

import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { blocks } from "../e2e/support/documents.ts";
import { fetchUnchecked } from "../e2e/support/checked-fetch.ts";
import { installed, pack, project, type Folder, type Started } from "../e2e/support/packed.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Each Node that this machine has, by its version: the one that runs this, and the first one outside this checkout. */
function nodes(): [version: string, path: string][] {
  const outside = (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes("node_modules"))
    .map((folder) => join(folder, "node"));
  const found = new Map<string, string>();
  for (const path of [process.execPath, ...outside]) {
    try {
      found.set(execFileSync(path, ["--version"], { encoding: "utf8" }).trim(), path);
    } catch {
      // There is no Node in that folder.
    }
  }
  return [...found];
}

const READY = /Ready on (http:\/\/[\w.:]+)/;

describe("the package", () => {
  let packed: Awaited<ReturnType<typeof pack>>;
  const folders: Folder[] = [];
  const started: Started[] = [];

  beforeAll(async () => {
    packed = await pack();
  }, 120_000);
  afterEach(async () => {
    for (const program of started.splice(0)) await program.stop();
  });
  afterAll(async () => {
    for (const folder of folders) await folder.remove();
    await packed.remove();
  });

  const own = async (made: Promise<Folder>): Promise<Folder> => {
    const folder = await made;
    folders.push(folder);
    return folder;
  };
  const start = async (folder: Folder, ...given: Parameters<Folder["start"]>): Promise<string> => {
    const program = await folder.start(...given);
    started.push(program);
    return program.found;
  };

  it(
    "installed in an empty folder, serves, is a command, and is a client, with every Node",
    { timeout: 240_000 },
    async () => {
      const folder = await own(installed(packed.tarball));
      const installedProgram = await readFile(join(ROOT, ".ci/installed.mjs"), "utf8");
      await folder.write({ "installed.mjs": installedProgram });
      for (const [version, path] of nodes()) {
        expect(await folder.run(path, "installed.mjs")).toContain(`works with Node ${version.slice(1)}`);
      }
      const url = await start(
        folder,
        /^Ready on (http:\S+)$/m,
        "npx",
        "durable-kv",
        "--memory",
        "--port",
        "0",
        "--no-tcp",
      );
      expect(await folder.run("npx", "kv", "--url", url, "create", "shopping")).toBe("");
      await folder.run("npx", "durable-kv", "--url", url, "put", "shopping", "milk", "1");
      expect(await folder.run("npx", "kv", "--url", url, "get", "shopping", "milk")).toBe("1");
    },
  );

  it(
    "installed without what is optional, is small, and says what the server needs",
    { timeout: 120_000 },
    async () => {
      const folder = await own(installed(packed.tarball, "--omit=optional"));
      const size = Number(
        execFileSync("du", ["-sk", join(folder.path, "node_modules")], { encoding: "utf8" }).split("\t")[0],
      );
      expect(size).toBeLessThan(4_096);
      await expect(folder.run("npx", "durable-kv", "--memory", "--port", "0", "--no-tcp")).rejects.toThrow(
        "npm install workerd",
      );
      expect(
        await folder.run(
          "node",
          "--input-type=module",
          "-e",
          'console.log((await import("durable-kv/client")).Kv.name)',
        ),
      ).toBe("Kv\n");
    },
  );

  it("has types for every way in", async () => {
    const folder = await own(project(packed.tarball));
    await folder.write({
      "worker.ts": `import { kvBinding, KvNamespace, Bucket } from "durable-kv/worker";
        import { kvFailure, type KvBinding } from "durable-kv/binding";
        import { durableKvDriver } from "durable-kv/unstorage";
        import { createStorage } from "unstorage";
        import { KeyvDurableKv } from "durable-kv/keyv";
        import { Kv } from "durable-kv/client";
        export { KvNamespace, Bucket };
        export async function use(ctx: ExecutionContext, kv: KvBinding): Promise<void> {
          const { value } = await kvBinding(ctx).bucket("b", { create: true }).increment("k");
          value satisfies number | string;
          kvFailure(new Error())?.code satisfies string | undefined;
          createStorage({ driver: durableKvDriver({ binding: kv, bucket: "b" }) });
          new KeyvDurableKv({ kv: new Kv({ url: "http://127.0.0.1" }), bucket: "b" });
          // @ts-expect-error A bucket's name is text.
          kv.bucket(1);
        }`,
      "tsconfig.json": JSON.stringify({
        compilerOptions: {
          target: "es2024",
          lib: ["esnext"],
          module: "esnext",
          moduleResolution: "bundler",
          types: ["@cloudflare/workers-types"],
          strict: true,
          noEmit: true,
          skipLibCheck: true,
        },
        files: ["worker.ts"],
      }),
    });
    expect(await folder.run("tsc", "-p", ".")).toBe("");
  });

  describe("embedded in a Worker, as examples/starter does it", () => {
    let starter: Folder;
    beforeAll(async () => {
      starter = await own(project(packed.tarball, "examples/starter"));
    });

    const listOf = async (url: string): Promise<unknown> => {
      // The starter's answers are not those of the service.
      expect((await fetchUnchecked(`${url}/groceries/milk`, { method: "PUT" })).status).toBe(200);
      return (await fetchUnchecked(`${url}/groceries`)).json();
    };

    it("passes the starter's own types and tests", { timeout: 120_000 }, async () => {
      expect(await starter.run("tsc", "-p", ".")).toBe("");
      expect(await starter.run("vitest", "run")).toMatch(/2 passed/);
    });

    it("runs under wrangler dev, and is what wrangler would deploy", { timeout: 120_000 }, async () => {
      const url = await start(starter, READY, "wrangler", "dev", "--port", "0", "--ip", "127.0.0.1");
      expect(await listOf(url)).toEqual({ milk: expect.any(Number) as number });
      expect(await starter.run("wrangler", "deploy", "--dry-run", "--outdir", "out")).toContain(
        "--dry-run: exiting",
      );
    });

    it("runs under Vite, in development and when it is built", { timeout: 180_000 }, async () => {
      await starter.write({
        "vite.config.ts": `import { cloudflare } from "@cloudflare/vite-plugin";
          import { defineConfig } from "vite";
          export default defineConfig({ plugins: [cloudflare()] });`,
      });
      const dev = await start(
        starter,
        /Local:\s+(http:\/\/[^/\s]+)/,
        "vite",
        "--port",
        "0",
        "--host",
        "127.0.0.1",
      );
      expect(await listOf(dev)).toEqual({ milk: expect.any(Number) as number });
      await starter.run("vite", "build");
      const built = await start(
        starter,
        /Local:\s+(http:\/\/[^/\s]+)/,
        "vite",
        "preview",
        "--port",
        "0",
        "--host",
        "127.0.0.1",
      );
      expect(await listOf(built)).toEqual({ milk: expect.any(Number) as number });
    });
  });

  it("is embedded as README.md shows it", { timeout: 60_000 }, async () => {
    const folder = await own(project(packed.tarball));
    const [source = ""] = await blocks("README.md", "ts worker");
    const [settings = ""] = await blocks("README.md", "toml worker");
    await folder.write({ "src/index.ts": source, "wrangler.toml": settings });
    const url = await start(folder, READY, "wrangler", "dev", "--port", "0", "--ip", "127.0.0.1");
    for (const n of [1, 2]) {
      expect(await (await fetchUnchecked(`${url}/home`)).text()).toBe(`You are number ${n}.\n`);
    }
  });

  it(
    "deploys as it is, with the ten lines of docs/workers.md and the free plan's settings",
    { timeout: 60_000 },
    async () => {
      const folder = await own(project(packed.tarball));
      const [settings = ""] = await blocks("docs/workers.md", "toml service");
      const [preset = ""] = await blocks("docs/free-plan.md", "toml preset");
      expect(settings.trim().split("\n").length).toBeLessThanOrEqual(11);
      await folder.write({ "wrangler.toml": `${settings}\n${preset}` });
      expect(await folder.run("wrangler", "deploy", "--dry-run")).toContain("--dry-run: exiting");
      const open = ["--var", "KV_OPEN:loopback"];
      const url = await start(folder, READY, "wrangler", "dev", "--port", "0", "--ip", "127.0.0.1", ...open);
      expect((await fetch(`${url}/v1/buckets/b`, { method: "PUT" })).status).toBe(201);
      expect(await (await fetch(`${url}/v1/registry`)).json()).toMatchObject({ partitions: 1 });
    },
  );

  it("is bundled by esbuild into a Worker that embeds it", async () => {
    const folder = await own(project(packed.tarball, "examples/starter"));
    await folder.run(
      "esbuild",
      "src/index.ts",
      "--bundle",
      "--format=esm",
      "--external:cloudflare:*",
      "--outfile=out.js",
    );
    expect(await readFile(join(folder.path, "out.js"), "utf8")).toMatch(/export \{[^}]*KvEntrypoint/);
  });
});
