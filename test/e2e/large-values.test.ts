/** Values of many megabytes over the wire: whole, in parts, and cut off. */

import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer, type RunningServer } from "./support/server.ts";

const MEBIBYTE = 1_048_576;

let server: RunningServer;
let bucket: string;
beforeAll(async () => {
  server = await startServer();
  bucket = `${server.http}/v1/buckets/large`;
  await fetch(bucket, { method: "PUT" });
});
afterAll(() => server.stop());

const put = async (key: string, body: Uint8Array<ArrayBuffer>): Promise<void> => {
  const response = await fetch(`${bucket}/keys/${key}`, { method: "PUT", body });
  expect([201, 204]).toContain(response.status);
};
const read = async (key: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${bucket}/keys/${key}`, { headers });
const bytesOf = async (response: Response): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await response.arrayBuffer());
/** Tells values apart; what it says of two that differ is short. */
const digest = (bytes: Uint8Array): string =>
  `${bytes.byteLength} bytes, ${createHash("sha256").update(bytes).digest("hex")}`;
const random = (size: number): Uint8Array<ArrayBuffer> => new Uint8Array(randomBytes(size));

/** Megabytes of the engine's resident memory: what it has, and the most that it had. */
async function memory(): Promise<{ readonly now: number; readonly peak: number }> {
  const status = await readFile(`/proc/${await server.enginePid()}/status`, "utf8");
  const megabytes = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024;
  return { now: megabytes("VmRSS"), peak: megabytes("VmHWM") };
}

describe("a value of 25 MiB", () => {
  it("comes down as it went up, in a server that never holds much of it", async () => {
    const value = random(25 * MEBIBYTE);
    // The peak is measured from here on.
    await writeFile(`/proc/${await server.enginePid()}/clear_refs`, "5");
    const before = await memory();
    await put("whole", value);
    const response = await read("whole");
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Length")).toBe(String(25 * MEBIBYTE));
    expect(digest(await bytesOf(response))).toBe(digest(value));
    const { peak } = await memory();
    console.log(
      `memory of the engine: ${before.now.toFixed(0)} MB before, ${peak.toFixed(0)} MB at its peak with 25 MiB up and down`,
    );
    expect(before.peak).toBeLessThan(before.now + 8);
    expect(peak - before.now).toBeLessThan(128);
  });
});

describe("a part of a large value", () => {
  const value = random(5 * MEBIBYTE + 3);
  const size = value.byteLength;
  let etag: string;
  beforeAll(async () => {
    await put("parts", value);
    etag = (await fetch(`${bucket}/keys/parts`, { method: "HEAD" })).headers.get("ETag") ?? "";
  });

  it("is told of by a HEAD, without a byte of it", async () => {
    const response = await fetch(`${bucket}/keys/parts`, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Length")).toBe(String(size));
    expect(response.headers.get("Accept-Ranges")).toBe("bytes");
    expect((await response.arrayBuffer()).byteLength).toBe(0);
    expect(etag).toMatch(/^"[0-9a-f]+-\d+"$/);
    const { headers } = await read("parts", { Range: "bytes=0-0" });
    expect(headers.get("ETag")).toBe(etag);
  });

  it.each([
    ["bytes=0-0", 0, 0],
    ["bytes=1048575-1048576", MEBIBYTE - 1, MEBIBYTE],
    ["bytes=1000-4000000", 1_000, 4_000_000],
    ["bytes=5242880-", 5 * MEBIBYTE, size - 1],
    ["bytes=-1", size - 1, size - 1],
    ["bytes=-99999999", 0, size - 1],
    ["bytes=2097152-99999999", 2 * MEBIBYTE, size - 1],
  ])("is what %s asks for", async (range, first, last) => {
    const response = await read("parts", { Range: range });
    expect(response.status).toBe(206);
    expect(response.headers.get("Content-Range")).toBe(`bytes ${first}-${last}/${size}`);
    expect(response.headers.get("Content-Length")).toBe(String(last - first + 1));
    expect(digest(await bytesOf(response))).toBe(digest(value.subarray(first, last + 1)));
  });

  it("is not there behind the end", async () => {
    const response = await read("parts", { Range: `bytes=${size}-` });
    expect(response.status).toBe(416);
    expect(response.headers.get("Content-Range")).toBe(`bytes */${size}`);
  });

  /** What of a download arrived before the client went. */
  async function interrupted(key: string): Promise<{ readonly had: Uint8Array; readonly tag: string }> {
    const abort = new AbortController();
    const response = await fetch(`${bucket}/keys/${key}`, { signal: abort.signal });
    const pieces: Uint8Array[] = [];
    for await (const piece of response.body ?? []) {
      pieces.push(piece);
      if (pieces.length === 7) break;
    }
    abort.abort();
    return { had: Buffer.concat(pieces), tag: response.headers.get("ETag") ?? "" };
  }

  it("completes a download that was interrupted", async () => {
    const { had, tag } = await interrupted("parts");
    expect(had.byteLength).toBeGreaterThan(0);
    expect(had.byteLength).toBeLessThan(size);
    const rest = await read("parts", { Range: `bytes=${had.byteLength}-`, "If-Range": tag });
    expect(rest.status).toBe(206);
    expect(digest(Buffer.concat([had, await bytesOf(rest)]))).toBe(digest(value));
  });

  it("is no part of another value: who comes back for it gets all of the new one", async () => {
    await put("replaced", value);
    const { had, tag } = await interrupted("replaced");
    const newer = random(2 * MEBIBYTE);
    await put("replaced", newer);
    const rest = await read("replaced", { Range: `bytes=${had.byteLength}-`, "If-Range": tag });
    expect(rest.status).toBe(200);
    expect(digest(await bytesOf(rest))).toBe(digest(newer));
  });
});

/** Numbers from 0 to 1, always the same for a seed (mulberry32). */
function randomsOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A request to put a value, as it is on the wire. */
function wire(path: string, value: Uint8Array, chunked: boolean): Buffer {
  const length = chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${value.byteLength}`;
  const head = `PUT ${path} HTTP/1.1\r\nHost: localhost\r\n${length}\r\n\r\n`;
  if (!chunked) return Buffer.concat([Buffer.from(head), value]);
  const pieces = [Buffer.from(head)];
  for (let at = 0; at < value.byteLength; at += 100_000) {
    const piece = value.subarray(at, at + 100_000);
    pieces.push(Buffer.from(`${piece.byteLength.toString(16)}\r\n`), Buffer.from(piece), Buffer.from("\r\n"));
  }
  return Buffer.concat([...pieces, Buffer.from("0\r\n\r\n")]);
}

/** `gone`: the connection is destroyed. `ended`: only this side of it, and what comes back is waited for. */
type Cut = "gone" | "ended";

/** Sends bytes and no more. @returns what came back. */
async function sendAndCut(bytes: Uint8Array, cut: Cut): Promise<string> {
  const socket = connect({ port: server.httpPort, host: "127.0.0.1" });
  let answer = "";
  socket.on("data", (data) => (answer += String(data)));
  socket.on("error", () => undefined); // the other side may be the first to go
  await once(socket, "connect");
  const closed = once(socket, "close");
  if (cut === "ended") socket.end(bytes);
  else socket.write(bytes, () => socket.destroy());
  await closed;
  return answer;
}

describe("an upload that is cut off", () => {
  const seed = Number(process.env["KV_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  const next = randomsOf(seed);

  it("leaves the old value, wherever it is cut", { timeout: 180_000 }, async () => {
    console.log(`seed of the places: ${seed}`);
    const old = random(2 * MEBIBYTE + 1);
    const newer = random(4 * MEBIBYTE + 1);
    await put("cut", old);
    const tag = (await fetch(`${bucket}/keys/cut`, { method: "HEAD" })).headers.get("ETag");
    const cutAt = async (offset: number, chunked: boolean, cut: Cut): Promise<void> => {
      const where = `${chunked ? "chunked" : "of known length"}, ${cut} at ${offset}, seed ${seed}`;
      const bytes = wire("/v1/buckets/large/keys/cut", newer, chunked);
      const answer = await sendAndCut(bytes.subarray(0, offset), cut);
      expect(answer, where).not.toMatch(/^HTTP\/1\.1 2/);
      const response = await read("cut");
      expect(response.headers.get("ETag"), where).toBe(tag);
      expect(digest(await bytesOf(response)), where).toBe(digest(old));
    };
    for (let n = 0; n < 50; n += 1) {
      const chunked = n % 2 === 0;
      const { byteLength } = wire("", newer, chunked);
      await cutAt(Math.floor(next() * byteLength), chunked, next() < 0.5 ? "gone" : "ended");
    }
    // The last place of all is one byte before the end.
    for (const chunked of [false, true]) {
      const { byteLength } = wire("/v1/buckets/large/keys/cut", newer, chunked);
      await cutAt(byteLength - 1, chunked, "ended");
    }
    // And what is not cut is stored: the requests were right.
    for (const chunked of [false, true]) {
      const answer = await sendWhole(wire("/v1/buckets/large/keys/cut", newer, chunked));
      expect(answer).toMatch(/^HTTP\/1\.1 204 /);
      expect(digest(await bytesOf(await read("cut")))).toBe(digest(newer));
    }
  });
});

/** Sends bytes and waits for the head of what comes back. */
async function sendWhole(bytes: Uint8Array): Promise<string> {
  const socket = connect({ port: server.httpPort, host: "127.0.0.1" });
  socket.write(bytes);
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return String(answer);
}
