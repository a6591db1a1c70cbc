/** Bundles the Worker into one ES module. */

/** As in wrangler.toml. `minifySyntax` removes code behind a constant `false`. */
const DEFINE = { "globalThis.KV_FAILPOINTS": "false" };

/** How a Worker's entry point is bundled, for esbuild. */
export function bundleOptions(entryPoint: string, define: Readonly<Record<string, string>> = DEFINE) {
  return {
    entryPoints: [entryPoint],
    bundle: true,
    write: false as const,
    format: "esm" as const,
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
    define: { ...define },
    minifySyntax: true,
    logLevel: "silent" as const,
  };
}

/** Bundles a Worker's entry point. @returns the source of one ES module. */
export async function bundle(
  entryPoint: string,
  define: Readonly<Record<string, string>> = DEFINE,
): Promise<string> {
  // Loaded only here: a server that refuses its options ends without it.
  const { build, stop } = await import("esbuild");
  const { outputFiles } = await build(bundleOptions(entryPoint, define));
  // esbuild is a child process that is not needed while the server runs.
  await stop();
  return outputFiles.map(({ text }) => text).join("");
}
