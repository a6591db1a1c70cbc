/** `npm run pack:check`: whether what npm would publish is what it should be. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

const ROOT = join(import.meta.dirname, "..");

/** The client and keyv's store with their types, the binding's types, the command without, and what every package has. */
function expected(): string[] {
  return [
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "package.json",
    ...modulesOf("binding", ["types"]),
    ...modulesOf("client", sources("client")),
    ...modulesOf("keyv", sources("keyv")),
    ...sources("cli").map((name) => `dist/cli/${name}.js`),
  ];
}

function modulesOf(folder: string, names: readonly string[]): string[] {
  return names.flatMap((name) => [`dist/${folder}/${name}.js`, `dist/${folder}/${name}.d.ts`]);
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, "src", folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => path.replaceAll("\\", "/").replace(/\.ts$/, ""));
}

/** What is in one list and not in the other. */
function differences(found: readonly string[], wanted: readonly string[]): string[] {
  return [
    ...found.filter((path) => !wanted.includes(path)).map((path) => `too much: ${path}`),
    ...wanted.filter((path) => !found.includes(path)).map((path) => `missing:  ${path}`),
  ];
}

function run(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

/** What npm prints before the JSON is of the scripts that it runs. */
function packedTo(folder: string): Packed {
  const output = run("npm", "pack", "--json", "--loglevel=error", "--pack-destination", folder);
  const [packed] = JSON.parse(output.slice(output.search(/^\[$/m))) as [Packed];
  return packed;
}

const folder = mkdtempSync(join(tmpdir(), "durable-kv-pack-"));
try {
  const { filename, files, size } = packedTo(folder);
  const wrong = differences(
    files.map(({ path }) => path),
    expected(),
  );
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) process.exitCode = 1;
  const tarball = join(folder, filename);
  console.log(run("publint", "run", tarball, "--strict"));
  // The package is of ES modules only: what CommonJS and old TypeScript make of it does not count.
  console.log(run("attw", tarball, "--profile", "esm-only"));
  console.log(`kv ${run(process.execPath, "dist/cli/main.js", "--version").trim()}`);
  console.log(`${files.length} files, ${Math.ceil(size / 1_024)} KiB packed`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
