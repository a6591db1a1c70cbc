/** Deno KV in a file, behind a small HTTP server. npm fetches Deno when it is needed: it is large. */

import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { temporaryFolder } from "../../servers.ts";
import { startServer } from "../process.ts";
import { outputOf } from "../program.ts";
import type { HttpStore } from "./http-store.ts";
import type { Peer } from "./peer.ts";

const PACKAGE = "deno@2.9.6";
const FETCH_MS = 180_000;
const SCRIPT = resolve(import.meta.dirname, "deno-server.ts");

export const denoKv: Peer = {
  name: "Deno KV",
  settings: "Deno.openKv of a file, behind Deno.serve; its SQLite syncs each put, as is its default",
  install: `npm could not fetch it: npm exec --yes --package=${PACKAGE} -- deno --version`,
  version: async () => {
    const path = await programPath();
    if (path === undefined) return undefined;
    return /deno (\S+)/.exec((await outputOf(path, ["--version"], 10_000)) ?? "")?.[1];
  },
};

export async function startDenoKv(): Promise<HttpStore> {
  const program = await programPath();
  if (program === undefined) throw new Error(denoKv.install);
  const folder = await temporaryFolder();
  const allowed = [`--allow-read=${folder}`, `--allow-write=${folder}`, "--allow-net=127.0.0.1"];
  const server = await startServer(
    [
      "env",
      "DENO_NO_UPDATE_CHECK=1",
      program,
      "run",
      "--quiet",
      "--no-config",
      "--no-prompt",
      "--unstable-kv",
      ...allowed,
      SCRIPT,
      join(folder, "kv"),
    ],
    async (started) => started.output().includes("\n"),
  );
  return {
    origin: `http://127.0.0.1:${server.output().trim()}`,
    put: (value) => ({ method: "PUT", path: "/key", body: value }),
    get: () => ({ method: "GET", path: "/key" }),
    valueIn: (response) => response,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

let found: Promise<string | undefined> | undefined;

/** Where npm has put the program. It is run from there, and not by npm, whose process would be in between. */
function programPath(): Promise<string | undefined> {
  const print = ["deno", "eval", "console.log(Deno.execPath())"];
  found ??= outputOf("npm", ["exec", "--yes", `--package=${PACKAGE}`, "--", ...print], FETCH_MS).then(
    (text) => text?.trim(),
  );
  return found;
}
