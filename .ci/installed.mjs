/** Tries the installed package with the Node that runs this: the server, the command, the client. Run it beside node_modules. */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const folder = resolve("node_modules/durable-kv");
const { bin, exports, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

const server = spawn(
  process.execPath,
  [join(folder, bin["durable-kv"]), "serve", "--memory", "--port", "0", "--no-tcp"],
  { stdio: ["ignore", "pipe", "inherit"] },
);
const ended = once(server, "exit");
const url = await new Promise((found, failed) => {
  server.once("exit", (code) => failed(new Error(`The server ended with ${code}.`)));
  createInterface({ input: server.stdout }).on("line", (line) => {
    const ready = /^Ready on (http:\S+)$/.exec(line);
    if (ready) found(ready[1]);
  });
});

const kv = (...args) =>
  execFileSync(process.execPath, [join(folder, bin.kv), ...args], {
    encoding: "utf8",
    env: { ...process.env, KV_URL: url },
  });
assert.equal(kv("--version").trim(), version);
kv("create", "shopping");
kv("put", "shopping", "milk", "1");
assert.equal(kv("get", "shopping", "milk").trim(), "1");

const { Kv } = await import(pathToFileURL(join(folder, exports["./client"].default)).href);
assert.equal(await new Kv({ url }).bucket("shopping").get("milk"), 1);

server.kill();
const [code] = await ended;
// On Windows a process can't be asked to end.
if (process.platform !== "win32") assert.equal(code, 0);
console.log(`durable-kv ${version} works with Node ${process.versions.node}.`);
