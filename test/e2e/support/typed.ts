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
  /** @returns what TypeScript says of each of these programs, by its name; "" if nothing */
  faultsOf(
    programs: Readonly<Record<string, string>>,
    settings: Settings,
  ): Promise<ReadonlyMap<string, string>>;
  remove(): Promise<void>;
}

/** A project into which the package was installed. */
export async function project(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), "durable-kv-typed-"));
  const installed = join(folder, "node_modules/durable-kv");
  await mkdir(installed, { recursive: true });
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  await copyFile(join(ROOT, "package.json"), join(installed, "package.json"));
  // What the programs use besides.
  for (const name of ["@types", "zod"]) {
    await symlink(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  }
  await run(process.execPath, [TSC, "-p", "tsconfig.build.json", "--outDir", join(installed, "dist")], {
    cwd: ROOT,
  });
  return {
    faultsOf: async (programs, settings) => {
      const files = Object.keys(programs).map((name) => `${name}.ts`);
      const config = { compilerOptions: { ...STRICT, ...settings }, files };
      await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
      for (const file of files) await writeFile(join(folder, file), programs[file.slice(0, -3)] ?? "");
      const said = await run(process.execPath, [TSC, "-p", folder], { cwd: folder }).then(
        () => "",
        ({ stdout }: { readonly stdout: string }) => stdout,
      );
      // A fault's further lines are indented.
      const faults = said.split(/\n(?=\S)/).filter((fault) => fault !== "");
      // What is wrong outside of the programs, as in the package, is wrong in each of them.
      const isOf = (fault: string, file: string): boolean =>
        fault.startsWith(`${file}(`) || !files.some((other) => fault.startsWith(`${other}(`));
      return new Map(
        files.map((file) => [file.slice(0, -3), faults.filter((fault) => isOf(fault, file)).join("\n")]),
      );
    },
    remove: () => rm(folder, { recursive: true }),
  };
}
