/** `npm run build`: makes the published files, in `dist`. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, type Metafile } from "esbuild";
import { bundleOptions } from "../src/serve/bundle.ts";
import { readWorkerConfig } from "../src/serve/from-source.ts";

const ROOT = join(import.meta.dirname, "..");
const DIST = join(ROOT, "dist");

rmSync(DIST, { recursive: true, force: true });
for (const project of ["tsconfig.build.json", "src/binding"]) {
  execFileSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", project], {
    cwd: ROOT,
    stdio: "inherit",
  });
}

// The Worker to deploy or to embed, and the one that `durable-kv serve` runs, with its settings.
const bundled = await bundleTo("src/embed.ts", "worker/index.js");
await bundleTo("src/local/worker.ts", "serve/prebuilt/worker.js");
// Beside the code, where a configuration that names the file finds them: `wrangler types -c` of another Worker.
write(
  "worker/index.d.ts",
  'export * from "../binding/worker.js";\nexport { default } from "../binding/worker.js";\n',
);
write("serve/prebuilt/worker.json", JSON.stringify(readWorkerConfig(join(ROOT, "wrangler.toml")), null, 2));
write("worker/LICENSES.txt", licensesOf(bundled));

async function bundleTo(entryPoint: string, file: string): Promise<Metafile> {
  const { outputFiles, metafile } = await build({
    ...bundleOptions(join(ROOT, entryPoint)),
    metafile: true as const,
  });
  write(file, outputFiles.map(({ text }) => text).join(""));
  return metafile;
}

/** The licenses of the packages whose code is in the bundle: they ask to be passed on. */
function licensesOf({ inputs }: Metafile): string {
  const packages = Object.keys(inputs).flatMap(
    (path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
  );
  return [...new Set(packages)]
    .toSorted()
    .map((name) => {
      const license = join(ROOT, "node_modules", name, "LICENSE");
      if (!existsSync(license)) throw new Error(`${name} has no LICENSE to pass on.`);
      return `${name}\n\n${readFileSync(license, "utf8")}`;
    })
    .join("\n\n");
}

function write(file: string, text: string): void {
  const path = join(DIST, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
