/** Requests whose sender goes away: nothing is half done, and no watcher is told that it is done. */

import { beforeAll, describe, expect, inject, it } from "vitest";
import { digest, MEBIBYTE, random } from "../e2e/support/bytes.ts";
import { server } from "../e2e/support/shared-server.ts";
import { sendAndCut, sendWhole, wire, type Cut } from "../e2e/support/wire.ts";

const bucket = `${server.http}/v1/buckets/cut-off`;
beforeAll(async () => void (await fetch(bucket, { method: "PUT" })));

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

describe("an upload that is cut off", () => {
  const seed = inject("seed");
  const next = randomsOf(seed);

  it("leaves the old value, wherever it is cut", { timeout: 180_000 }, async () => {
    console.log(`places of the cuts: KV_TEST_SEED=${seed}`);
    const old = random(2 * MEBIBYTE + 1);
    const newer = random(4 * MEBIBYTE + 1);
    await fetch(`${bucket}/keys/cut`, { method: "PUT", body: old });
    const tag = (await fetch(`${bucket}/keys/cut`, { method: "HEAD" })).headers.get("ETag");
    const cutAt = async (offset: number, chunked: boolean, cut: Cut): Promise<void> => {
      const where = `${chunked ? "chunked" : "of known length"}, ${cut} at ${offset}, seed ${seed}`;
      const bytes = wire("PUT /v1/buckets/cut-off/keys/cut", newer, chunked);
      const answer = await sendAndCut(server.httpPort, bytes.subarray(0, offset), cut);
      expect(answer, where).not.toMatch(/^HTTP\/1\.1 2/);
      const response = await fetch(`${bucket}/keys/cut`);
      expect(response.headers.get("ETag"), where).toBe(tag);
      expect(digest(await response.arrayBuffer()), where).toBe(digest(old));
    };
    for (let n = 0; n < inject("sizes").cuts; n += 1) {
      const chunked = n % 2 === 0;
      const { byteLength } = wire("", newer, chunked);
      await cutAt(Math.floor(next() * byteLength), chunked, next() < 0.5 ? "gone" : "ended");
    }
    // The last place of all is one byte before the end.
    for (const chunked of [false, true]) {
      const { byteLength } = wire("PUT /v1/buckets/cut-off/keys/cut", newer, chunked);
      await cutAt(byteLength - 1, chunked, "ended");
    }
    // And what is not cut is stored: the requests were right.
    for (const chunked of [false, true]) {
      const answer = await sendWhole(
        server.httpPort,
        wire("PUT /v1/buckets/cut-off/keys/cut", newer, chunked),
      );
      expect(answer).toMatch(/^HTTP\/1\.1 204 /);
      expect(digest(await (await fetch(`${bucket}/keys/cut`)).arrayBuffer())).toBe(digest(newer));
    }
  });
});

describe("a request that is cut off", () => {
  const body = (text: string) => new TextEncoder().encode(text);

  it.each([
    ["PUT /v1/buckets/cut-off/keys/small", "a value"],
    ["POST /v1/buckets/cut-off/keys/n/increment", '{"by":1}'],
    ["POST /v1/buckets/cut-off/batch", '[{"op":"put","key":"a","value":"1"}]'],
    ["POST /v1/buckets/cut-off/transaction", '{"then":[{"op":"put","key":"a","value":"1"}]}'],
    ["POST /v1/commands", "CREATE cut-off-none\r\n"],
    ["PUT /v1/buckets/cut-off-none", '{"restart":"temporary"}'],
  ])("%s: it is not known to be done, and is not", async (request, text) => {
    const { entries: before } = (await (await fetch(bucket)).json()) as { entries: number };
    for (const chunked of [false, true]) {
      const bytes = wire(request, body(text), chunked);
      const answer = await sendAndCut(server.httpPort, bytes.subarray(0, bytes.byteLength - 1), "ended");
      expect(answer).not.toMatch(/^HTTP\/1\.1 (2|500)/);
      if (answer !== "") expect(answer).toMatch(/^HTTP\/1\.1 503 [^]*"upload_lost"/);
    }
    const { entries } = (await (await fetch(bucket)).json()) as { entries: number };
    expect(entries).toBe(before);
    expect((await fetch(`${server.http}/v1/buckets/cut-off-none`)).status).toBe(404);
  });

  it("an import says which lines are there, and again changes no more than it has to", async () => {
    const lines = Array.from({ length: 600 }, (_, n) => `{"key":"line${n}","value":"1"}\n`).join("");
    const bytes = wire("POST /v1/buckets/cut-off/import", body(lines), true);
    const answer = await sendAndCut(server.httpPort, bytes.subarray(0, bytes.byteLength - 9), "ended");
    expect(answer).toMatch(/^HTTP\/1\.1 503 [^]*"upload_lost"[^]*"lines":599,"imported":599,/);
    const again = await fetch(`${bucket}/import`, { method: "POST", body: lines });
    expect(await again.json()).toMatchObject({ imported: 1, unchanged: 599 });
  });

  it.each(["", "?onError=continue"])(
    "an import within a long line is no import of a wrong line%s",
    async (query) => {
      const text = `{"key":"before","value":"1"}\n{"key":"long","base64":"${"A".repeat(9 * MEBIBYTE)}"}\n`;
      const bytes = wire(`POST /v1/buckets/cut-off/import${query}`, body(text), false);
      const answer = await sendAndCut(server.httpPort, bytes.subarray(0, bytes.byteLength - 9), "ended");
      expect(answer).toMatch(/^HTTP\/1\.1 503 [^]*"upload_lost"[^]*"lines":1,[^]*"failed":0,"errors":\[\]/);
      expect((await fetch(`${bucket}/keys/long`)).status).toBe(404);
    },
  );
});
