/** What npm gets, as its users' TypeScript sees it. */

import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "../../..");
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");

const run = promisify(execFile);

/** As `tsc --init` has it, and no file's types are taken on trust. */
const STRICT = {
  target: "es2022",
  module: "nodenext",
  moduleDetection: "force",
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
};

/** Settings of TypeScript. */
export type Settings = Readonly<Record<string, unknown>>;

export interface Project {
  /** @returns what TypeScript says of a program; "" if nothing */
  faultsOf(source: string, settings: Settings): Promise<string>;
  remove(): Promise<void>;
}

/** A project into which the package was installed. */
export async function project(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), "durable-kv-typed-"));
  const installed = join(folder, "node_modules/durable-kv");
  await mkdir(installed, { recursive: true });
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  await copyFile(join(ROOT, "package.json"), join(installed, "package.json"));
  await symlink(join(ROOT, "node_modules/@types"), join(folder, "node_modules/@types"));
  await run(process.execPath, [TSC, "-p", "tsconfig.build.json", "--outDir", join(installed, "dist")], {
    cwd: ROOT,
  });
  return {
    faultsOf: async (source, settings) => {
      const config = { compilerOptions: { ...STRICT, ...settings }, files: ["program.ts"] };
      await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
      await writeFile(join(folder, "program.ts"), source);
      const checked = run(process.execPath, [TSC, "-p", folder], { cwd: folder });
      return checked.then(
        () => "",
        ({ stdout }: { readonly stdout: string }) => stdout,
      );
    },
    remove: () => rm(folder, { recursive: true }),
  };
}
