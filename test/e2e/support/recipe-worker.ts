/** The Worker of a recipe under miniflare, with the service bound to it as the recipe's wrangler.toml says. */

import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { parse } from "smol-toml";
import { bundle, bundleOptions } from "../../../src/serve/bundle.ts";
import { blocks } from "./documents.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const COMPATIBILITY = { compatibilityDate: "2026-10-01", compatibilityFlags: ["nodejs_compat"] };

/** Where the recipes say that their Worker is. */
export const RECIPE_URL = "http://127.0.0.1:8788";

/** What a recipe's wrangler.toml has. */
interface Configuration {
  readonly services: readonly {
    readonly binding: string;
    readonly service: string;
    readonly entrypoint: string;
    readonly props: Readonly<Record<string, string>>;
  }[];
}

export interface RecipeWorker {
  readonly url: string;
  stop(): Promise<void>;
}

let service: Promise<string> | undefined;

/**
 * Starts the program of a document.
 * @param language of the block that is the Worker
 * @param packages the folder of what the Worker imports
 */
export async function startRecipe(path: string, language: string, packages: string): Promise<RecipeWorker> {
  const [source = ""] = await blocks(path, language);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const [toml = ""] = await blocks(path, "toml");
  const { services } = parse(toml) as unknown as Configuration;
  service ??= bundle(join(ROOT, "src/worker.ts"), {});
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      port,
      workers: [
        {
          name: "recipe",
          modules: true,
          script: await bundled(source.replaceAll(RECIPE_URL, url), packages),
          ...COMPATIBILITY,
          serviceBindings: Object.fromEntries(
            services.map(({ binding, service: name, ...bound }) => [binding, { name, ...bound }]),
          ),
        },
        {
          // Without a token: a binding needs none.
          name: "durable-kv",
          modules: true,
          script: await service,
          compatibilityDate: COMPATIBILITY.compatibilityDate,
          durableObjects: {
            REGISTRY: { className: "Registry", useSQLite: true },
            BUCKET: { className: "Bucket", useSQLite: true },
          },
        },
      ],
    }),
  );
  await miniflare.ready;
  return { url, stop: () => miniflare.dispose() };
}

/** Chosen before the Worker starts, because its program may have to know its own address. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((listening) => probe.listen(0, "127.0.0.1", listening));
  const { port } = probe.address() as AddressInfo;
  await new Promise((closed) => probe.close(closed));
  return port;
}

/** As wrangler bundles it. */
async function bundled(source: string, packages: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "durable-kv-recipe-"));
  try {
    await symlink(packages, join(folder, "node_modules"));
    await writeFile(join(folder, "worker.ts"), source);
    const { outputFiles } = await build({
      ...bundleOptions(join(folder, "worker.ts"), { "process.env.NODE_ENV": '"production"' }),
      external: ["cloudflare:*", "node:*"],
      logLevel: "error",
    });
    return outputFiles[0]?.text ?? "";
  } finally {
    await rm(folder, { recursive: true });
  }
}
