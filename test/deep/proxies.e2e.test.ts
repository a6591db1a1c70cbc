/** What docs/proxies.md promises of nginx and Caddy, tried with the programs themselves. */

import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Kv } from "../../src/client/index.ts";
import { INSTALLED, MISSING, type DocumentedProxy } from "../e2e/support/documented-proxy.ts";
import { startServer, type RunningServer } from "../e2e/support/server.ts";
import { SseReader } from "../support/sse.ts";

const TOKEN = "behind-a-proxy-0123456789";
const MAX_VALUE = 25 * 1024 * 1024;

interface Init {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly signal?: AbortSignal;
}

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ tcp: false, environment: { KV_TOKEN: TOKEN } });
});
afterAll(() => server.stop());

describe.skipIf(MISSING.length > 0).each(MISSING)("%s", (name) => {
  it("is not tested on this machine, because it is not installed", () => expect.fail(name));
});

describe.each(INSTALLED)("$name, configured as docs/proxies.md says,", ({ name, start }) => {
  const bucket = name.toLowerCase();
  let proxy: DocumentedProxy;
  /** A request for the bucket, or for what is below it, through the proxy or straight to the server. */
  const ask = (path: string, init: Init = {}, base = proxy.url): Promise<Response> =>
    fetch(`${base}/v1/buckets/${bucket}${path}`, {
      ...init,
      headers: { Authorization: `Bearer ${TOKEN}`, ...init.headers },
    });
  beforeAll(async () => {
    proxy = await start(server);
    expect((await ask("", { method: "PUT" })).status).toBe(201);
  });
  afterAll(() => proxy.stop());

  it("passes the token on, and the service's refusal without one", async () => {
    const refused = await fetch(`${proxy.url}/v1/buckets/${bucket}`);
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ code: "unauthorized" });
    expect((await ask("")).status).toBe(200);
  });

  it("passes the events of a watch on as they happen", async () => {
    const ending = new AbortController();
    const watching = await ask("/watch?prefix=watched/", { signal: ending.signal });
    const events = await new SseReader(watching).begun();
    for (const value of ["1", "2"]) {
      // If the proxy kept the event, this would wait for the next one for ever.
      await ask("/keys/watched%2Fkey", { method: "PUT", body: value }, server.http);
      expect((await events.next())?.data).toMatchObject({ key: "watched/key", value });
    }
    ending.abort();
  });

  it("passes a value of 25 MiB in both directions, and the service's refusal of a longer one", async () => {
    const value = randomBytes(MAX_VALUE);
    expect((await ask("/keys/large", { method: "PUT", body: value })).status).toBe(201);
    const read = await (await ask("/keys/large")).bytes();
    expect(Buffer.compare(read, value)).toBe(0);
    const refused = await ask("/keys/large", {
      method: "PUT",
      body: Buffer.concat([value, Buffer.alloc(1)]),
    });
    expect(await refused.json()).toMatchObject({ status: 413, code: "value_too_large" });
    await ask("/keys/large", { method: "DELETE" });
  });

  it("passes an import and an export of several megabytes", async () => {
    const lines = Array.from({ length: 300 }, (_, n) => {
      const key = `lines/${String(n).padStart(3, "0")}`;
      return `${JSON.stringify({ key, value: "v".repeat(10_000) })}\n`;
    });
    const imported = await ask("/import", { method: "POST", body: lines.join("") });
    expect(await imported.json()).toMatchObject({ lines: 300, imported: 300, failed: 0 });
    const exported = await ask("/export?prefix=lines/");
    expect(await exported.text()).toBe(lines.join(""));
  });

  it("passes a session over WebSocket", async () => {
    const kv = new Kv({ url: proxy.url, token: TOKEN });
    const session = kv.bucket<Record<string, number>>(bucket).session();
    await Promise.all([session.bucket.put("over", 1), session.bucket.put("websocket", 2)]);
    expect(await session.bucket.get("websocket")).toBe(2);
    session.close();
  });

  it("changes neither the path of a key nor the ETag of a value", async () => {
    for (const key of ["a%2Fb", "a%252Fb", "a%2F%2Fb", "a%3Fb%23c", "%C3%A9"]) {
      // Text that a proxy might compress.
      const init = { method: "PUT", body: key.repeat(1_000), headers: { "Content-Type": "text/html" } };
      expect((await ask(`/keys/${key}`, init)).status, key).toBe(201);
      const [through, straight] = [await ask(`/keys/${key}`), await ask(`/keys/${key}`, {}, server.http)];
      expect(straight.status, key).toBe(200);
      expect(through.headers.get("ETag"), key).toBe(straight.headers.get("ETag"));
      expect(await through.text()).toBe(await straight.text());
    }
  });

  it("lets pages of its own origin write, and no others", async () => {
    const write = (Origin: string): Promise<Response> =>
      ask("/keys/page", { method: "PUT", body: "1", headers: { Origin } });
    expect((await write(proxy.url)).status).toBe(201);
    expect((await write("https://elsewhere.example")).status).toBe(403);
  });

  it("passes the longest prefix", async () => {
    const listed = await ask(`/keys?prefix=${"%C3%A9".repeat(2_048)}`);
    expect(await listed.json()).toEqual({ keys: [] });
  });
});
