/** `npm start` as a program: its flags, its one-line errors, its end. */

import { existsSync, writeFileSync } from "node:fs";
import { readdir, readlink } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runProgram, runServer, startServer, temporaryFolder } from "../e2e/support/server.ts";
import { openTcp } from "../e2e/support/transports.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());
const path = (name: string): string => join(folder.path, name);

/** What it prints when it can't serve: one line, exit code 1. */
async function complaint(
  args: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<string> {
  const { code, output } = await runServer(["--port", "0", "--tcp-port", "0", ...args], environment);
  expect(code).toBe(1);
  expect(output).toMatch(/^[^\n]+\n$/);
  return output;
}

describe("the server", () => {
  it("keeps its data from one run to the next", async () => {
    const first = await startServer({ data: path("kept") });
    await fetch(`${first.http}/v1/commands`, { method: "POST", body: "CREATE kept\nPUT kept milk 1" });
    await first.stop();
    const second = await startServer({ data: path("kept") });
    const response = await fetch(`${second.http}/v1/commands`, { method: "POST", body: "GET kept milk" });
    expect(await response.text()).toBe("1\r\nOK\r\n");
    await second.stop();
  });

  it("with --memory keeps nothing, and leaves nothing behind", async () => {
    const server = await startServer();
    await fetch(`${server.http}/v1/buckets/gone`, { method: "PUT" });
    const scratch = await scratchOf(await server.enginePid());
    expect(existsSync(scratch)).toBe(true);
    await server.stop();
    expect(existsSync(scratch)).toBe(false);
  });

  it("shows a session to type in, with its addresses", async () => {
    const server = await startServer();
    expect(server.output()).toContain(`nc 127.0.0.1 ${server.tcpPort}`);
    expect(server.output()).toContain(`curl ${server.http}/v1/buckets/shopping/keys/milk`);
    await server.stop();
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "ends within two seconds of %s, with connections open",
    async (signal) => {
      const server = await startServer();
      const connection = await openTcp(server.tcpPort);
      await connection.ask("CREATE open\nSUBSCRIBE open\nPING\n", 2);
      const { ms, code } = await server.stop(signal);
      expect(code).toBe(0);
      expect(ms).toBeLessThan(2_000);
      await connection.rest();
    },
  );

  it("ends when npm, which started it, is told to", async () => {
    const server = await startServer({ npm: true });
    const engine = await server.enginePid();
    await server.stop();
    await expect.poll(() => existsSync(`/proc/${engine}`)).toBe(false);
    await expect(fetch(`${server.http}/healthz`)).rejects.toThrow();
  });

  it("says in one line that a port is in use", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    const { port } = taken.address() as AddressInfo;
    expect(await complaint(["--memory", "--port", String(port)])).toBe(
      `Port ${port} of 127.0.0.1 is in use. Stop the process that uses it, or choose another port: --port N\n`,
    );
    expect(await complaint(["--memory", "--tcp-port", String(port)])).toContain("--tcp-port N");
    expect(await complaint(["--memory", "--port", "8799", "--tcp-port", "8799"])).toContain("are both 8799");
    taken.close();
  });

  it("says in one line that the data folder is in use by another server", async () => {
    const server = await startServer({ data: path("shared") });
    expect(await complaint(["--data", path("shared")])).toContain("in use by another server");
    await server.killAll();
    const next = await startServer({ data: path("shared") });
    await next.stop();
  });

  it.each([
    ["a newer Node", {}, { NODE_OPTIONS: "--no-experimental-sqlite" }],
    ["an older Node", { NODE_OPTIONS: "--no-experimental-sqlite" }, {}],
    [
      "an older Node, too",
      { NODE_OPTIONS: "--no-experimental-sqlite" },
      { NODE_OPTIONS: "--no-experimental-sqlite" },
    ],
  ])("says so of a server that runs on %s, whose locks differ", async (on, first, second) => {
    const data = path(`mixed-${on.length}`);
    const server = await startServer({ data, environment: first });
    // Only what was killed leaves an engine behind for a moment, for which the next server would wait.
    expect(await complaint(["--data", data], second)).toContain("in use by another server");
    await server.stop();
    const next = await startServer({ data, environment: second });
    await next.stop();
  });

  it("says in one line that the data folder can't be written", async () => {
    writeFileSync(path("file"), "");
    expect(await complaint(["--data", path("file")])).toContain("can't be written");
    expect(await complaint(["--data", path("no/such/folder")])).toContain("can't be written");
  });

  it.each([
    [["--host", "0.0.0.0"], "KV_TOKEN"],
    [["--host", "example.com"], "IP address"],
    [["--no-tcp"], "combined with --tcp-port"],
    [["--port", "70000"], "0 to 65535"],
    [["--memory", "--data", "x"], "combined with --data"],
    [["--data", ""], "name of a folder"],
    [["--bogus"], "--help"],
  ])("refuses %j in one line", async (args, words) => {
    expect(await complaint(args)).toContain(words);
  });

  it("leaves no engine behind when it is killed", async () => {
    const server = await startServer({ data: path("killed") });
    const engine = await server.enginePid();
    const connection = await openTcp(server.tcpPort);
    // Only the server itself is killed; the engine must notice.
    await server.kill();
    await connection.rest();
    // Its connections close a moment before the system has buried it.
    await expect.poll(() => existsSync(`/proc/${engine}`)).toBe(false);
    await expect(fetch(`${server.http}/healthz`)).rejects.toThrow();
  });

  it("names an invalid setting in one line", async () => {
    expect(await complaint(["--memory"], { KV_PARTITIONS: "none" })).toContain('KV_PARTITIONS is "none"');
  });
});

describe("a token", () => {
  it("of less than sixteen characters is refused if other machines can connect, and allowed on loopback", async () => {
    const short = { KV_TOKEN: "fifteen letters" };
    expect(await complaint(["--memory", "--host", "0.0.0.0"], short)).toContain("at least 16");
    const server = await startServer({ environment: short });
    expect((await fetch(`${server.http}/v1/buckets`)).status).toBe(401);
    await server.stop();
  });
});

describe("npm run dev", () => {
  it.each([
    [["--ip", "0.0.0.0"], {}, "set KV_TOKEN"],
    [["--ip=192.168.0.1"], {}, "set KV_TOKEN"],
    [["--ip", "127.0.0.1", "--ip", "::"], {}, "set KV_TOKEN"],
    [["--ip", "0.0.0.0"], { KV_TOKEN: "fifteen letters" }, "at least 16"],
    [["--ip", "0.0.0.0", "--", "--ip", "127.0.0.1"], {}, "without it"],
    [["--inspectorIp", "0.0.0.0"], {}, "--inspector-ip"],
    [["--tunnel"], {}, "other machines could reach the server"],
    [["--inspector-ip", "0.0.0.0"], { KV_TOKEN: "sixteen letters!" }, "--inspector-ip"],
  ])("refuses %j with %j in one line", async (args, environment, words) => {
    const dev = join(import.meta.dirname, "../../src/serve/dev.ts");
    const { code, output } = await runProgram(
      [process.execPath, "--disable-warning=ExperimentalWarning", dev, ...args],
      environment,
    );
    expect([code, output]).toEqual([1, expect.stringMatching(/^[^\n]+\n$/)]);
    expect(output).toContain(words);
  });
});

describe("--no-tcp", () => {
  it("serves HTTP only", async () => {
    const server = await startServer({ tcp: false });
    expect((await fetch(`${server.http}/healthz`)).status).toBe(200);
    expect(server.output()).not.toContain("tcp://");
    expect(server.output()).not.toContain("nc ");
    expect((await server.stop()).code).toBe(0);
  });
});

describe("the number of partitions", () => {
  it("is refused when it changes, over HTTP and TCP", async () => {
    const first = await startServer({ data: path("partitions") });
    await fetch(`${first.http}/v1/buckets/shopping`, { method: "PUT" });
    await first.stop();
    const second = await startServer({ data: path("partitions"), environment: { KV_PARTITIONS: "8" } });
    const response = await fetch(`${second.http}/v1/buckets`);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ code: "partitions_mismatch" });
    const connection = await openTcp(second.tcpPort);
    expect(await connection.ask("CREATE shopping\n", 1)).toMatch(/^ERROR PARTITIONS_MISMATCH [^\r\n]*16/);
    connection.close();
    await second.stop();
  });
});

/** The data folder of a running engine, by the files that it has open: others may be running beside it. */
async function scratchOf(pid: number): Promise<string> {
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const open = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
    const scratch = /^.*\/durable-kv-[^/]+/.exec(open)?.[0];
    if (scratch !== undefined) return scratch;
  }
  throw new Error("the engine has no file of a scratch folder open");
}
