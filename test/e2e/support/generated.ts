/** A folder in which clients are generated as docs/openapi.md says, and used. */

import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { blocks, DOCUMENTED } from "./documents.ts";
import { installed } from "./installed.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
const DOCUMENT = "docs/openapi.md";

/** As a bundler's project has it; the generators leave out file extensions. */
const STRICT = {
  target: "es2022",
  module: "esnext",
  moduleResolution: "bundler",
  moduleDetection: "force",
  lib: ["esnext", "dom", "dom.iterable"],
  types: [],
  strict: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: true,
  noEmit: true,
};

const run = promisify(execFile);

export interface Workshop {
  /** Adds sources, by the names of their files. */
  write(sources: Readonly<Record<string, string>>): Promise<void>;
  /** Runs a source. @returns what it printed */
  run(file: string): Promise<string>;
  /** @returns what TypeScript says of these sources, and of what they import; "" if nothing */
  faultsOf(files: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

/** Types in what the document has for these clients, with this address in place of the document's. */
export async function workshop(clients: readonly string[], url: string): Promise<Workshop> {
  const here = async (language: string): Promise<string> =>
    (await blocks(DOCUMENT, language)).join("\n").replaceAll(DOCUMENTED, url);
  const commands = (await Promise.all(clients.map((client) => here(`sh ${client}`)))).join("").split("\n");
  const folder = await mkdtemp(join(tmpdir(), "durable-kv-openapi-"));
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  // 110 MB, and another TypeScript.
  await symlink(await installed("openapi-clients", commands), join(folder, "node_modules"));
  const write = async (sources: Readonly<Record<string, string>>): Promise<void> => {
    for (const [file, source] of Object.entries(sources)) await writeFile(join(folder, file), source);
  };
  for (const client of clients) {
    const config = await here(`js ${client}`);
    const [, file] = /^\/\/ (\S+)\n/.exec(config) ?? [];
    await write({ [`${client}-program.ts`]: await here(`ts ${client}`), ...(file && { [file]: config }) });
  }
  const bins = join(folder, "node_modules/.bin");
  const PATH = [bins, dirname(process.execPath), process.env["PATH"]].join(delimiter);
  const generate = commands
    .filter((line) => line.startsWith("npx "))
    .map((line) => line.slice("npx ".length));
  await Promise.all(
    generate.map((command) => run("bash", ["-c", command], { cwd: folder, env: { ...process.env, PATH } })),
  );
  return {
    write,
    run: async (file) => {
      const outfile = join(folder, `${file}.mjs`);
      const entryPoints = [join(folder, file)];
      await build({ entryPoints, outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" });
      const { stdout } = await run(process.execPath, [outfile], { env: { ...process.env, NO_COLOR: "1" } });
      return stdout.trimEnd();
    },
    faultsOf: async (files) => {
      await write({ "tsconfig.json": JSON.stringify({ compilerOptions: STRICT, files }) });
      return run(process.execPath, [TSC, "-p", folder], { cwd: folder }).then(
        () => "",
        ({ stdout }: { readonly stdout: string }) => stdout,
      );
    },
    remove: () => rm(folder, { recursive: true }),
  };
}
