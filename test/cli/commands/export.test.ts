/** `kv export` to a file, a pipe, or nowhere. */

import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { KV, startKvProcess } from "../../e2e/support/cli.ts";
import { bucket, service, started } from "../../e2e/support/kv-command.ts";
import { temporaryFolder } from "../../e2e/support/server.ts";

const folder = temporaryFolder();

afterAll(() => folder.remove());

describe("kv export", () => {
  const isPart = (name: string): boolean => name.endsWith(".part");

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("that is ended by %s leaves no partial file", async (signal, exitCode) => {
    const slow = createServer(({ url }, response) => {
      if (url === "/v1/buckets/b") response.end('{"name":"b"}');
      else
        response
          .writeHead(200, { "Content-Type": "application/x-ndjson" })
          .write('{"key":"a","value":"1"}\n');
    }).listen(0, "127.0.0.1");
    await once(slow, "listening");
    const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
    // At once, however long it would wait for what comes next.
    const withLongTimeout = ["export", "b", join(folder.path, "interrupted.ndjson"), "--timeout", "3600"];
    const running = startKvProcess({ url }, ...withLongTimeout);
    await vi.waitUntil(async () => (await readdir(folder.path)).some(isPart), 30_000);
    running.interrupt(signal);
    expect((await running.ended).code).toBe(exitCode);
    expect(
      (await readdir(folder.path)).filter((name) => isPart(name) || name.startsWith("interrupted")),
    ).toEqual([]);
    slow.closeAllConnections();
    slow.close();
  });

  it("leaves the file unchanged when the connection breaks", async () => {
    const file = join(folder.path, "kept.ndjson");
    await writeFile(file, "before");
    const half = createServer(({ url }, response) => {
      if (url === "/v1/buckets/b") response.end('{"name":"b"}');
      else
        response
          .writeHead(200, { "Content-Type": "application/x-ndjson" })
          .write('{"key":"a","value":"1"}\n', () => response.destroy());
    }).listen(0, "127.0.0.1");
    await once(half, "listening");
    const url = `http://127.0.0.1:${(half.address() as AddressInfo).port}`;
    expect(await startKvProcess({ url }, "export", "b", file).ended).toMatchObject({
      code: 4,
      err: expect.stringMatching(
        /^kv: The connection broke before all data had arrived. \(connection_lost\)\n/,
      ) as string,
    });
    expect(await readFile(file, "utf8")).toBe("before");
    expect((await readdir(folder.path)).filter(isPart)).toEqual([]);
    half.close();
  });

  it("writes to a named pipe, through a symbolic link, and keeps the file's permissions", async () => {
    const name = await bucket("targets");
    await service.bucket(name).put("a", 1);
    const command = `${KV.join(" ")} export ${name}`;
    const script = `set -e; cd "$(mktemp -d)"; mkfifo pipe; cat pipe > piped & ${command} pipe; wait; test -p pipe
      echo old > target; chmod 600 target; ln -s target link; ${command} link; test -L link
      cmp piped target; stat -c %a target`;
    expect(await started(["bash", "-c", script])).toMatchObject({ code: 0, out: "600\n" });
  });

  it("reports that its output can't be written", async () => {
    const name = await bucket("full");
    await service.bucket(name).put("a", 1);
    const { code, err } = await started(["bash", "-c", `${KV.join(" ")} export ${name} > /dev/full`]);
    expect([code, err]).toEqual([2, expect.stringMatching(/^error: ENOSPC: [^\n]+\n$/)]);
  });
});
