/** The Worker in one file. */

/** As in wrangler.toml. With the syntax minified, what stands behind a constant `false` is gone. */
const DEFINE = { "globalThis.KV_FAILPOINTS": "false" };

/** Bundles a Worker's entry point. @returns the source of one ES module. */
export async function bundle(
  entryPoint: string,
  define: Readonly<Record<string, string>> = DEFINE,
): Promise<string> {
  // Loaded only here: a server that refuses its options ends without it.
  const { build, stop } = await import("esbuild");
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
