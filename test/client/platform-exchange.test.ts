/** Requests that go to Node's dispatcher directly: what `fetch` would do, for each generation of undici. */

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bytes, ConnectionError, Kv, text, TimeoutError } from "../../src/client/index.ts";
import { platformExchange } from "../../src/client/platform-exchange.ts";
import { fetchChecked, fetchUnchecked } from "../e2e/support/checked-fetch.ts";

const DISPATCHER = Symbol.for("undici.globalDispatcher.1");
type Handler = Record<string, ((...args: unknown[]) => unknown) | undefined>;
interface Dispatcher {
  dispatch(options: object, handler: unknown): boolean;
}
const platform = globalThis as { [DISPATCHER]?: Dispatcher | undefined };
const usual = (void Headers, platform[DISPATCHER]) as Dispatcher;

/** What is asked of the service, and how it replies. */
let reply: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;
let server: Server;
let url: string;
let dispatched: number;

/** Only the methods that undici of this generation calls; the handler of `fetch` itself has none but its own. */
function only(handler: Handler, names: readonly string[]): Handler {
  if (!names.every((name) => handler[name] !== undefined)) return handler;
  return Object.fromEntries(names.map((name) => [name, handler[name]?.bind(handler)]));
}

/** The headers of an entry. */
const ENTRY = { ETag: '"i-1"', "KV-Revision": "1" };
const OLD = ["onConnect", "onHeaders", "onData", "onComplete", "onError"];
const NEW = ["onRequestStart", "onResponseStart", "onResponseData", "onResponseEnd", "onResponseError"];

beforeEach(async () => {
  globalThis.fetch = fetchUnchecked;
  dispatched = 0;
  server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => reply(request, response, Buffer.concat(pieces)));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  globalThis.fetch = fetchChecked;
  platform[DISPATCHER] = usual;
  server.closeAllConnections();
  server.close();
});

describe.each([
  ["the methods of Node 20 and 22", OLD],
  ["the methods of Node 24", NEW],
])("a request to Node's dispatcher, by %s", (_, names) => {
  beforeEach(() => {
    platform[DISPATCHER] = {
      dispatch: (options, handler) => {
        dispatched += 1;
        return usual.dispatch(options, only(handler as Handler, names));
      },
    };
  });

  const bucket = () => new Kv({ url, token: "s3cret", retries: 0 }).bucket("b");

  it("sends what fetch sends, and hands on what comes", async () => {
    const seen: unknown[] = [];
    reply = ({ method, url: path, headers }, response, body) => {
      const { host, authorization, "content-type": type, "content-length": length } = headers;
      seen.push({ method, path, host, authorization, type, length, body: body.toString("latin1") });
      response.writeHead(206, { "X-One": "a", "x-two": ["b", "c"], "X-Three": "\u00e9" });
      response.write("\uFEFFhé");
      response.end("llo 😀");
    };
    const { signal } = new AbortController();
    const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(7);
    for (const init of [
      { method: "GET", headers: {} },
      { method: "GET", headers: { Authorization: "Bearer x" } },
      { method: "DELETE", headers: {} },
      { method: "POST", headers: {} },
      { method: "PUT", headers: {}, body: "é" },
      { method: "PUT", headers: { "Content-Type": "a/b" }, body: "" },
      { method: "PUT", headers: {}, body: new Uint8Array([0, 255, 10]).subarray(1) },
      { method: "PUT", headers: { "content-type": "c/d" }, body: new Uint8Array(shared) },
    ]) {
      const target = `${url}/v1/a%20b?q=%C3%A9&r=%2F`;
      const ours = await platformExchange(target, { ...init, signal });
      const theirs = await fetchUnchecked(target, init);
      expect([ours.status, ours.ok, ours.headers.get("x-ONE"), ours.headers.get("x-two")]).toEqual([
        theirs.status,
        theirs.ok,
        theirs.headers.get("x-one"),
        theirs.headers.get("X-Two"),
      ]);
      expect(ours.headers.get("x-three")).toBe(theirs.headers.get("x-three"));
      expect(ours.headers.get("none")).toBeNull();
      expect(await ours.text()).toBe(await theirs.text());
      const [mine, other] = seen.splice(0);
      expect(mine).toEqual(other);
    }
    expect(dispatched).toBeGreaterThanOrEqual(8);
  });

  it("gives values back byte by byte", async () => {
    const value = Uint8Array.from({ length: 200_000 }, (_unused, at) => at % 251);
    reply = (_request, response) => response.writeHead(200, ENTRY).end(value);
    expect(await new Kv({ url }).bucket("b", { codec: bytes }).get("k")).toEqual(value);
    reply = (_request, response) => response.writeHead(200, ENTRY).end();
    expect(await new Kv({ url }).bucket("b", { codec: text }).get("k")).toBe("");
    expect(dispatched).toBe(2);
  });

  it("reads what a proxy has compressed", async () => {
    reply = ({ headers }, response) => {
      expect(headers["accept-encoding"]).toBe("gzip");
      response.writeHead(200, { ...ENTRY, "Content-Encoding": "gzip" }).end(gzipSync('{"a":1}'));
    };
    expect(await bucket().get("k")).toEqual({ a: 1 });
  });

  it("does not follow a redirect, which could take the token elsewhere", async () => {
    reply = (_request, response) => response.writeHead(302, { Location: "http://elsewhere.test/" }).end();
    await expect(bucket().get("k")).rejects.toMatchObject({
      code: "unexpected_answer",
      message: expect.stringContaining("redirects to http://elsewhere.test/") as string,
    });
  });

  it("skips interim responses", async () => {
    reply = (_request, response) => {
      response.writeEarlyHints({ link: "</a>; rel=preload" });
      response.writeHead(200, ENTRY).end("1");
    };
    expect(await bucket().get("k")).toBe(1);
  });

  it("says whether there was no connection, no response, or half of one", async () => {
    reply = (_request, response) => response.destroy();
    const nothing = {
      code: "connection_lost",
      message: expect.stringContaining("got no response") as string,
    };
    await expect(bucket().put("k", 1)).rejects.toMatchObject(nothing);
    reply = (_request, response) => {
      response.writeHead(200, { ...ENTRY, "Content-Length": "100" });
      response.write("half", () => response.destroy());
    };
    await expect(bucket().get("k")).rejects.toMatchObject({
      code: "connection_lost",
      message: expect.stringContaining("broke off") as string,
    });
    server.closeAllConnections();
    server.close();
    await once(server, "close");
    const unsent = bucket().put("k", 1);
    await expect(unsent).rejects.toBeInstanceOf(ConnectionError);
    await expect(unsent).rejects.toMatchObject({ code: "not_connected", outcomeUnknown: false });
  });

  it("ends with its deadline, and with its signal, at every stage", async () => {
    const silent = Promise.withResolvers<ServerResponse>();
    reply = (request, response) => {
      if (request.url?.endsWith("/second") === true) silent.resolve(response);
    };
    await expect(bucket().get("first", { timeoutMs: 1 })).rejects.toBeInstanceOf(TimeoutError);

    const own = new AbortController();
    const asked = bucket().get("second", { signal: own.signal });
    const open = await silent.promise;
    const closed = once(open, "close");
    own.abort(new Error("changed my mind"));
    await expect(asked).rejects.toThrow("changed my mind");
    // The connection is not kept for a response that nobody waits for.
    await closed;
    await expect(bucket().get("third", { signal: own.signal })).rejects.toThrow("changed my mind");
  });
});

describe("a request of the client", () => {
  it("goes through a fetch that a program has put in the place of Node's", async () => {
    reply = (_request, response) => response.writeHead(200, ENTRY).end("1");
    const seen: string[] = [];
    globalThis.fetch = async (input, init) => {
      seen.push(new Request(input).url);
      return fetchUnchecked(input, init);
    };
    expect(await new Kv({ url }).bucket("b").get("k")).toBe(1);
    expect(seen).toEqual([`${url}/v1/buckets/b/keys/k`]);
  });

  it("goes through the client's own fetch, whatever the platform has", async () => {
    const fetch = async (): Promise<Response> => new Response("2", { headers: ENTRY });
    expect(await new Kv({ url, fetch }).bucket("b").get("k")).toBe(2);
  });

  it("goes through fetch where there is no dispatcher of undici's", async () => {
    reply = (_request, response) => response.writeHead(200, ENTRY).end("3");
    const [own, browsers] = [globalThis.fetch, platform[DISPATCHER]];
    globalThis.fetch = async (input, init) => {
      expect(init).not.toHaveProperty("dispatcher");
      platform[DISPATCHER] = browsers;
      return own(input, init);
    };
    platform[DISPATCHER] = undefined;
    expect(await new Kv({ url }).bucket("b").get("k")).toBe(3);
  });
});
