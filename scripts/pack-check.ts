/** `npm run pack:check`: checks the package that npm would publish. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

const ROOT = join(import.meta.dirname, "..");

/** What only a checkout has: its own programs, and what bundles the Worker from source. */
const OF_A_CHECKOUT = ["bundle", "cluster/main", "dev", "from-source", "main", "workerd.d"];

/** The files that the package must have: everything with its types, except the command and the server. */
function expected(): string[] {
  return [
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "package.json",
    // The README links to them.
    ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".md"))
      .map((path) => `docs/${path}`),
    ...modulesOf("better-auth", sources("better-auth")),
    ...modulesOf("binding", ["types", "failure", "worker"]),
    ...modulesOf("client", sources("client")),
    // The types that the binding refers to.
    ...modulesOf("contract", sources("contract")),
    ...modulesOf("keyv", sources("keyv")),
    ...modulesOf("unstorage", sources("unstorage")),
    ...sources("cli").map((name) => `dist/cli/${name}.js`),
    ...sources("serve")
      .filter((name) => !OF_A_CHECKOUT.includes(name))
      .map((name) => `dist/serve/${name}.js`),
    "dist/serve/prebuilt/worker.js",
    "dist/serve/prebuilt/worker.json",
    "dist/worker/index.js",
    "dist/worker/index.d.ts",
    "dist/worker/LICENSES.txt",
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

/** Entries that are in only one of the two lists. */
function differences(found: readonly string[], wanted: readonly string[]): string[] {
  return [
    ...found.filter((path) => !wanted.includes(path)).map((path) => `too much: ${path}`),
    ...wanted.filter((path) => !found.includes(path)).map((path) => `missing:  ${path}`),
  ];
}

/** The packages that are installed together with this one. */
function dependenciesOf(tarball: string): string[] {
  const manifest = JSON.parse(run("tar", "-xOf", tarball, "package/package.json")) as Readonly<
    Record<string, Readonly<Record<string, string>> | undefined>
  >;
  const kinds = ["dependencies", "optionalDependencies", "peerDependencies"];
  return kinds.flatMap((kind) => Object.keys(manifest[kind] ?? {}));
}

/** The packages that the published files import, including their types. */
function importedBy(paths: readonly string[]): string[] {
  const imports = /^(?:import|export) (?:[\w$\s{},*]+ from )?"([^"]+)"|\bimport\("([^"]+)"\)/gm;
  const specifiers = paths
    .filter((path) => /\.(js|d\.ts)$/.test(path))
    .flatMap((path) => [...readFileSync(join(ROOT, path), "utf8").matchAll(imports)])
    .map(([, named, awaited]) => named ?? awaited ?? "");
  const packages = specifiers
    .filter((specifier) => !/^(\.|node:|cloudflare:)/.test(specifier))
    .map((specifier) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier);
  return [...new Set(packages)];
}

function run(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

/** Packs the package. npm prints the output of its scripts before the JSON, so skip that. */
function packedTo(folder: string): Packed {
  const output = run("npm", "pack", "--json", "--loglevel=error", "--pack-destination", folder);
  const [packed] = JSON.parse(output.slice(output.search(/^\[$/m))) as [Packed];
  return packed;
}

const folder = mkdtempSync(join(tmpdir(), "durable-kv-pack-"));
try {
  const { filename, files, size } = packedTo(folder);
  const paths = files.map(({ path }) => path);
  const tarball = join(folder, filename);
  const wrong = [
    ...differences(paths, expected()),
    ...differences(dependenciesOf(tarball), importedBy(paths)),
  ];
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) process.exitCode = 1;
  console.log(run("publint", "run", tarball, "--strict"));
  // ES modules only: ignore problems with CommonJS and old module resolution.
  console.log(run("attw", tarball, "--profile", "esm-only"));
  console.log(`durable-kv ${run(process.execPath, "dist/cli/durable-kv.js", "--version").trim()}`);
  console.log(`${files.length} files, ${Math.ceil(size / 1_024)} KiB packed`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
