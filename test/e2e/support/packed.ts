/** The package as npm would publish it, and folders in which it is installed. */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { collect } from "./server.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const run = promisify(execFile);

export interface Folder {
  readonly path: string;
  /** Runs a program to its end, with the folder's own programs first. @returns what it printed */
  run(command: string, ...args: readonly string[]): Promise<string>;
  /** Starts a program and waits until it prints this; `until` has the first group. */
  start(until: RegExp, command: string, ...args: readonly string[]): Promise<Started>;
  write(files: Readonly<Record<string, string>>): Promise<void>;
  remove(): Promise<void>;
}

export interface Started {
  readonly found: string;
  /** Ends it with all its children, and waits. */
  stop(): Promise<void>;
}

/** Packs the package into a folder of its own. @returns the tarball's path, and how to remove it */
export async function pack(): Promise<{ readonly tarball: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "durable-kv-packed-"));
  const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: ROOT });
  const name = stdout.trim().split("\n").at(-1) ?? "";
  return { tarball: join(folder, name), remove: () => rm(folder, { recursive: true, force: true }) };
}

/** An empty folder, somewhere else than this checkout, in which npm installs the tarball. */
export async function installed(tarball: string, ...args: readonly string[]): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "durable-kv-installed-"));
  const folder = folderAt(path);
  await folder.write({ "package.json": '{"private":true,"type":"module"}' });
  await folder.run("npm", "install", "--silent", "--no-audit", "--no-fund", ...args, tarball);
  return folder;
}

/**
 * A project with the package in it, which finds the other programs and libraries that it needs in this checkout: those
 * need not be installed again.
 * @param source a folder to copy; undefined for an empty project
 */
export async function project(tarball: string, source?: string): Promise<Folder> {
  const projects = join(ROOT, "node_modules/.cache");
  await mkdir(projects, { recursive: true });
  const path = await mkdtemp(join(projects, "durable-kv-project-"));
  if (source !== undefined) await cp(join(ROOT, source), path, { recursive: true });
  const home = join(path, "node_modules/durable-kv");
  await mkdir(home, { recursive: true });
  await run("tar", ["-xzf", tarball, "-C", home, "--strip-components=1"]);
  return folderAt(path);
}

function folderAt(path: string): Folder {
  const PATH = [
    join(path, "node_modules/.bin"),
    join(ROOT, "node_modules/.bin"),
    dirname(process.execPath),
    process.env["PATH"],
  ].join(delimiter);
  const env = { ...process.env, PATH, CLOUDFLARE_CF_FETCH_ENABLED: "false", NO_COLOR: "1" };
  return {
    path,
    async start(until, command, ...args) {
      // A group of its own, so that all of it can be ended.
      const child = spawn(command, args, {
        cwd: path,
        env,
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
      });
      const ended = once(child, "exit");
      return {
        found: await collect(child).until(until),
        async stop() {
          process.kill(-Number(child.pid), "SIGTERM");
          await ended;
        },
      };
    },
    async run(command, ...args) {
      const { stdout } = await run(command, args, { cwd: path, env, maxBuffer: 2 ** 26 }).catch(
        (error: Error & { readonly stdout?: string; readonly stderr?: string }) => {
          throw new Error(`${command} ${args.join(" ")}: ${error.stdout ?? ""}${error.stderr ?? ""}`, {
            cause: error,
          });
        },
      );
      return stdout;
    },
    async write(files) {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(path, name)), { recursive: true });
        await writeFile(join(path, name), text);
      }
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}
