/** A bucket whose file is damaged: the others go on, and the steps of docs/operations.md bring it back. */

import { openSync, readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { kv } from "../e2e/support/cli.ts";
import { runServer, startServer, temporaryFolder, type RunningServer } from "../e2e/support/server.ts";

const data = temporaryFolder();
const backup = temporaryFolder();
afterAll(async () => {
  await data.remove();
  await backup.remove();
});

const status = async ({ http }: RunningServer, path: string, method = "GET"): Promise<number> =>
  (await fetch(`${http}/v1/buckets/${path}`, { method })).status;

/** Overwrites the beginning of each file with this in its name by what is no database. */
function damage(folder: string, id: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.includes(id),
  );
  for (const path of files) writeSync(openSync(join(folder, path), "r+"), "x".repeat(8_192), 0);
  return files;
}

it("a damaged file costs its own bucket and no other, the engine's own none, and a backup brings it back", async () => {
  const first = await startServer({ data: data.path, tcp: false });
  for (const name of ["whole", "damaged"]) {
    await fetch(`${first.http}/v1/buckets/${name}`, { method: "PUT" });
    await fetch(`${first.http}/v1/buckets/${name}/keys/milk`, { method: "PUT", body: "1" });
  }
  await kv({ url: first.http }, "export", "--all", backup.path);
  const { id } = (await (await fetch(`${first.http}/v1/buckets/damaged`)).json()) as { id: string };
  await first.stop();
  const files = damage(data.path, id);
  expect(files).not.toEqual([]);

  const second = await startServer({ data: data.path, tcp: false });
  const answer = await fetch(`${second.http}/v1/buckets/damaged/keys/milk`);
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, "unavailable"]);
  expect(await status(second, "whole/keys/milk")).toBe(200);
  expect(await status(second, "another", "PUT")).toBe(201);
  await second.stop();

  // The engine's own file: it does not start, and nothing is lost with the file.
  const own = damage(data.path, "metadata.sqlite");
  const { code, output } = await runServer(["--port", "0", "--no-tcp", "--data", data.path]);
  expect([code, output]).toEqual([1, expect.stringContaining("file is not a database")]);
  for (const path of own) rmSync(join(data.path, path));

  // As docs/operations.md says: its files away, and the backup in.
  for (const path of files) rmSync(join(data.path, path));
  const third = await startServer({ data: data.path, tcp: false });
  expect(await status(third, "damaged/keys/milk")).toBe(404);
  await kv({ url: third.http }, "import", "--all", backup.path);
  expect(await (await fetch(`${third.http}/v1/buckets/damaged/keys/milk`)).text()).toBe("1");
  await third.stop();
});
