/** Every byte, in pieces of any size, on TCP and WebSocket. */

import { exports } from "cloudflare:workers";
import fc from "fast-check";
import { afterAll, describe, expect, inject, it } from "vitest";
import { Auth } from "../../src/config/auth.ts";
import { Connections } from "../../src/lib/connections.ts";
import { Login } from "../../src/connection/login.ts";
import { serveTcp } from "../../src/connection/tcp.ts";
import { cut, EVERY_BYTE, expected, keyOf, putLines, puts, type BytePut } from "../support/byte-lines.ts";
import { isolate } from "../support/directories.ts";
import { bucket, jsonOf, post } from "../support/http.ts";

const open = new Auth({ token: undefined, openOnLoopback: true });

/** Sends the pieces of some lines. @returns all replies, once each line has one */
type Sends = (pieces: readonly Uint8Array[], bucket: string, lines: number) => Promise<string>;

/** A message is whole lines: pieces are put together where a line goes on. */
function messages(pieces: readonly Uint8Array[]): Uint8Array[] {
  const found: Uint8Array[] = [];
  let begun: number[] = [];
  for (const piece of pieces) {
    begun.push(...piece);
    if (begun.at(-1) !== 0x0a) continue;
    found.push(new Uint8Array(begun));
    begun = [];
  }
  return begun.length === 0 ? found : [...found, new Uint8Array(begun)];
}

async function overWebSocket(path: string, pieces: readonly Uint8Array[], lines: number): Promise<string> {
  const request = new Request(`http://localhost${path}`, { headers: { Upgrade: "websocket" } });
  const { webSocket } = await exports.default.fetch(request);
  if (webSocket === null) throw new Error("no upgrade");
  let text = "";
  const heard = new Promise<void>((resolve) => {
    webSocket.addEventListener("message", ({ data }) => {
      text += String(data);
      if (text.split("\r\n").length > lines) resolve();
    });
  });
  webSocket.accept();
  for (const message of messages(pieces)) webSocket.send(message);
  await heard;
  webSocket.close();
  return text;
}

const TRANSPORTS: Readonly<Record<string, Sends>> = {
  TCP: async (pieces) => {
    const [up, down] = [new IdentityTransformStream(), new IdentityTransformStream()];
    const socket = { readable: up.readable, writable: down.writable, close: async () => undefined };
    const served = serveTcp(socket as unknown as Socket, isolate().directory, new Login(open, "peer"), {
      places: new Connections(),
    });
    const heard = new Response(down.readable).text();
    const writer = up.writable.getWriter();
    // What a connection begins with tells another protocol's, so these bytes come behind a command.
    await writer.write(new TextEncoder().encode("PING\n"));
    for (const piece of pieces) await writer.write(piece);
    await writer.close();
    await served;
    return (await heard).replace("PONG\r\n", "");
  },
  "/v1/connect": (pieces, _, lines) => overWebSocket("/v1/connect", pieces, lines),
  "a bucket's own socket": (pieces, b, lines) => overWebSocket(`/v1/buckets/${b}/connect`, pieces, lines),
  "/v1/commands": async (pieces) => {
    const { readable, writable } = new IdentityTransformStream();
    const writer = writable.getWriter();
    const answer = exports.default.fetch(
      new Request("http://localhost/v1/commands", { method: "POST", body: readable }),
    );
    for (const piece of pieces) await writer.write(piece);
    await writer.close();
    return (await answer).text();
  },
};

interface Got {
  readonly found: boolean;
  readonly key: string;
  readonly value?: string;
  readonly base64?: string;
}

/** What a bucket holds of these keys, read as JSON. */
async function held(b: string, keys: readonly string[]): Promise<Map<string, Uint8Array>> {
  const operations = keys.map((key) => ({ op: "get", key }));
  const { results } = await jsonOf<{ results: Got[] }>(await post(`${b}/batch`, operations));
  return new Map(
    results.map(({ key, value = "", base64 }) => [
      key,
      base64 === undefined ? new TextEncoder().encode(value) : Uint8Array.fromBase64(base64),
    ]),
  );
}

/** The replies to some lines, and what is held then. */
async function outcome(
  sends: Sends,
  b: string,
  given: readonly BytePut[],
  places: readonly number[],
): Promise<unknown> {
  const replies = await sends(cut(putLines(b, given), places), b, given.length);
  const lines = replies.split("\r\n").slice(0, -1);
  return {
    replies: lines.map((line) => line.split(" ", 2).join(" ")),
    held: await held(b, [...expected(given).keys()]),
  };
}

/** What {@link outcome} has to be. */
function meant(given: readonly BytePut[]): unknown {
  return {
    replies: given.map(({ key }) => (keyOf(key) === undefined ? "ERROR KEY_INVALID" : "OK")),
    held: expected(given),
  };
}

describe.each(Object.entries(TRANSPORTS))("bytes on %s", (name, sends) => {
  const seed = inject("seed");
  afterAll(() => console.log(`bytes on ${name}: KV_TEST_SEED=${seed}`));

  it("are stored as they are, every one of them, in keys and values", async () => {
    const b = await bucket(`every byte on ${name}`.replaceAll(/[^\w ]/g, ""));
    for (let from = 0; from < EVERY_BYTE.length; from += 300) {
      const some = EVERY_BYTE.slice(from, from + 300);
      expect(await outcome(sends, b, some, [])).toEqual(meant(some));
    }
  });

  it("are stored as they are when they come one by one", async () => {
    const b = await bucket(`single bytes on ${name}`.replaceAll(/[^\w ]/g, ""));
    const some = EVERY_BYTE.filter((_, index) => index % 31 < 3);
    const places = Array.from({ length: putLines(b, some).length }, (_, place) => place);
    expect(await outcome(sends, b, some, places)).toEqual(meant(some));
  });

  it("are stored as they are wherever they are cut, whatever stands beside them", async () => {
    const b = await bucket(`any bytes on ${name}`.replaceAll(/[^\w ]/g, ""));
    await fc.assert(
      fc.asyncProperty(puts, fc.array(fc.nat(), { maxLength: 6 }), async (given, places) => {
        expect(await outcome(sends, b, given, places)).toEqual(meant(given));
      }),
      { seed, numRuns: 25 },
    );
  });
});
