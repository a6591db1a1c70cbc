/** Values of many megabytes over the wire: whole and in parts. */

import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digest, MEBIBYTE, random } from "../e2e/support/bytes.ts";
import { startServer, type RunningServer } from "../e2e/support/server.ts";

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
