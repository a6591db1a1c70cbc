/** What a server on this machine keeps on disk, in the long run. */

import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, inject, it } from "vitest";
import { askForFreed } from "../../src/serve/control.ts";
import { startServer, temporaryFolder, type RunningServer } from "../e2e/support/server.ts";

const ENDS = inject("sizes").endedFiles;
const folder = temporaryFolder();
afterAll(() => folder.remove());

const MIB = 1_048_576;

/** Bytes of all buckets' databases, by file. */
async function databases(): Promise<Map<string, number>> {
  const path = join(folder.path, "durable-kv-Bucket");
  const names = (await readdir(path)).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  return new Map(
    await Promise.all(names.map(async (name) => [name, (await stat(join(path, name))).size] as const)),
  );
}

/** How many files are there that two buckets do not need, or that are larger than they need. */
async function unclaimed(): Promise<number> {
  const files = await databases();
  return files.size - 2 + [...files.values()].filter((size) => size >= 3 * MIB).length;
}

/** The engine's private socket, which lies beside its configuration. */
async function controlSocket(server: RunningServer): Promise<string> {
  const command = await readFile(`/proc/${await server.enginePid()}/cmdline`, "utf8");
  return join(dirname(command.split("\0").find((word) => word.endsWith("config.capnp")) ?? ""), "control");
}

/** Text commands, one after the other. @returns the lines of their replies */
async function run({ http }: RunningServer, lines: readonly string[]): Promise<string[]> {
  const response = await fetch(`${http}/v1/commands`, { method: "POST", body: lines.join("\n") });
  return (await response.text()).split("\r\n").slice(0, -1);
}

/** Callers at once. */
const LANES = 6;

/** Buckets that end in both ways: by a stop, and temporary ones of one name by an exit signal. */
async function endBuckets(server: RunningServer, count: number): Promise<void> {
  const lanes = Array.from({ length: LANES }, async (_, lane) => {
    for (let n = lane; n < count; n += LANES) {
      const name = n % 2 === 0 ? `s${n}` : `again${lane}`;
      const body = JSON.stringify({ restart: n % 2 === 0 ? "permanent" : "temporary" });
      await fetch(`${server.http}/v1/buckets/${name}`, { method: "PUT", body });
      const end = n % 2 === 0 ? `STOP ${name}` : `EXIT ${name} boom`;
      expect(await run(server, [`PUT ${name} k v`, end])).toEqual(["OK", "OK"]);
    }
  });
  await Promise.all(lanes);
}

describe("the data folder", () => {
  it(`keeps no file of ${ENDS} buckets that have ended, and no space of what was deleted, behind a start`, async () => {
    const first = await startServer({ data: folder.path });
    const { http } = first;
    await run(first, ["CREATE lives", "PUT lives milk 1", "CREATE large"]);
    await endBuckets(first, ENDS);
    for (let n = 0; n < 8; n += 1) {
      const put = { method: "PUT", body: new Uint8Array(MIB).fill(n) };
      expect((await fetch(`${http}/v1/buckets/large/keys/k${n}`, put)).status).toBe(201);
    }
    const kept = await (await fetch(`${http}/v1/buckets/large/keys/k7`)).bytes();
    await run(
      first,
      Array.from({ length: 7 }, (_, n) => `DELETE large k${n}`),
    );
    await first.stop();
    expect((await databases()).size).toBe(ENDS + 2);
    expect(Math.max(...(await databases()).values())).toBeGreaterThan(8 * MIB);

    // A start has a time limit for this. What a busy machine leaves, the next start does: each leaves less.
    let second = await startServer({ data: folder.path });
    for (let before = Infinity, left = await unclaimed(); left > 0; left = await unclaimed()) {
      expect(left).toBeLessThan(before);
      before = left;
      await second.stop();
      second = await startServer({ data: folder.path });
    }
    expect(await run(second, ["GET lives milk", "CREATE s0", "GET s0 k"])).toEqual([
      "1",
      "OK",
      "OK",
      "",
      "OK",
    ]);
    const still = await (await fetch(`${second.http}/v1/buckets/large/keys/k7`)).bytes();
    expect(Buffer.compare(still, kept)).toBe(0);
    await second.stop();
  }, 300_000);

  it("is reclaimed while the server runs: its engine reports each freed object once", async () => {
    const server = await startServer({ data: folder.path });
    const socketPath = await controlSocket(server);
    await run(server, ["CREATE stays", "CREATE goes"]);
    const { id } = (await (await fetch(`${server.http}/v1/buckets/goes`)).json()) as { id: string };
    expect(await askForFreed(socketPath)).toEqual([]);
    await run(server, ["STOP goes"]);
    expect(await askForFreed(socketPath)).toEqual([id]);
    expect(await askForFreed(socketPath)).toEqual([]);
    await server.stop();
    expect(await askForFreed(socketPath)).toEqual([]);
  });
});
