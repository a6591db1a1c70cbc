/** The Worker in one file. */

import { build, stop } from "esbuild";

/** As in wrangler.toml. With the syntax minified, what stands behind a constant `false` is gone. */
const DEFINE = { "globalThis.KV_FAILPOINTS": "false" };

/** Bundles a Worker's entry point. @returns the source of one ES module. */
export async function bundle(
  entryPoint: string,
  define: Readonly<Record<string, string>> = DEFINE,
): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entryPoint],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
    define,
    minifySyntax: true,
    logLevel: "silent",
  });
  // esbuild is a process of its own: it is not needed while the server runs.
  await stop();
  return outputFiles.map(({ text }) => text).join("");
}
