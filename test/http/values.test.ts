/** Values over HTTP: their properties, ranges, and large ones. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { KEEP_MS } from "../../src/model/large-value.ts";
import { BucketHandle } from "../../src/directory/bucket-handle.ts";
import { CHUNK_BYTES, MAX_VALUE_BYTES } from "../../src/model/limits.ts";
import { call } from "../../src/otp/call.ts";
import { isolate } from "../support/directories.ts";
import { ask, bucket, codeOf, hasBytes, jsonOf, put } from "../support/http.ts";
import { clock } from "../support/objects.ts";

/** Bytes in which each place tells itself from its neighbours. */
function pattern(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 31 + (at >> 11)) & 255;
  return bytes;
}

/** A body that says nothing of its length. */
function streamed(bytes: Uint8Array, piece = 100_000): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.byteLength) return controller.close();
      controller.enqueue(bytes.slice(at, at + piece));
      at += piece;
    },
  });
}

function chunksOf(id: string): Promise<number> {
  return runInDurableObject(env.BUCKET.get(env.BUCKET.idFromString(id)), (_, { storage }) =>
    Number(storage.sql.exec("SELECT count(*) AS n FROM chunks").one()["n"]),
  );
}

describe("properties of a value", () => {
  it("are sent with it: when it expires, metadata, revision", async () => {
    const b = await bucket("beside");
    const metadata = { who: "Zoë", emoji: "🥛" };
    const url = `${b}/keys/milk?ttl=60&metadata=${encodeURIComponent(JSON.stringify(metadata))}`;
    const before = Date.now() + clock.aheadMs;
    expect((await put(url, "1", { "Content-Type": "text/x" })).status).toBe(201);
    const after = Date.now() + clock.aheadMs;
    for (const method of ["GET", "HEAD"]) {
      const { headers } = await ask(`${b}/keys/milk`, { method });
      const expires = Date.parse(headers.get("KV-Expires") ?? "");
      expect(expires).toBeGreaterThanOrEqual(before + 60_000);
      expect(expires).toBeLessThanOrEqual(after + 60_000);
      expect(headers.get("KV-Metadata")).toMatch(/^[\x20-\x7e]+$/);
      expect(JSON.parse(headers.get("KV-Metadata") ?? "")).toEqual(metadata);
    }
  });

  it("are dropped by the next put that does not repeat them", async () => {
    const b = await bucket("beside replaced");
    await put(`${b}/keys/a?ttl=60&metadata=1`);
    await put(`${b}/keys/a`);
    const { headers } = await ask(`${b}/keys/a`);
    expect([headers.get("KV-Expires"), headers.get("KV-Metadata")]).toEqual([null, null]);
  });

  it("include a time to live in parts of a second, to the millisecond", async () => {
    const b = await bucket("beside parts");
    const before = Date.now() + clock.aheadMs;
    await put(`${b}/keys/a?ttl=90.25`);
    const after = Date.now() + clock.aheadMs;
    const expires = Date.parse((await ask(`${b}/keys/a`)).headers.get("KV-Expires") ?? "");
    expect(expires).toBeGreaterThanOrEqual(before + 90_250);
    expect(expires).toBeLessThanOrEqual(after + 90_250);
  });

  it("include an expiry that was given as a time", async () => {
    const b = await bucket("expires");
    const at = new Date(Date.now() + clock.aheadMs + 30_000).toISOString();
    await put(`${b}/keys/a?expires=${encodeURIComponent(at)}`);
    expect((await ask(`${b}/keys/a`)).headers.get("KV-Expires")).toBe(at);
    clock.aheadMs += 30_000;
    expect(await codeOf(await ask(`${b}/keys/a`))).toBe("key_not_found");
  });

  it.each([
    ["ttl=0", "query_invalid"],
    ["ttl=-1", "query_invalid"],
    ["ttl=0.0001", "query_invalid"],
    ["ttl=+1", "query_invalid"],
    ["ttl=", "query_invalid"],
    ["ttl=315360001", "query_invalid"],
    ["ttl=1&ttl=2", "query_invalid"],
    ["ttl=1&expires=2100-01-01T00:00:00Z", "query_invalid"],
    ["expires=tomorrow", "query_invalid"],
    ["expires=2020-01-01T00:00:00Z", "expires_invalid"],
    ["expires=2100-01-01T00:00:00Z", "expires_invalid"],
    ["metadata={", "query_invalid"],
    [`metadata="${"x".repeat(1_023)}"`, "metadata_too_large"],
    ["unknown=1", "query_invalid"],
    ["__proto__=1", "query_invalid"],
  ])("is refused where it is wrong, and nothing is stored: %s", async (query, code) => {
    const b = await bucket("beside wrong");
    expect(await codeOf(await put(`${b}/keys/a?${query}`))).toBe(code);
    expect((await ask(`${b}/keys/a`)).status).toBe(404);
  });
});

describe("a put with Content-Encoding or Content-Range", () => {
  it("is refused: values are served as they were stored", async () => {
    const b = await bucket("packed");
    expect(await codeOf(await put(`${b}/keys/a`, "1", { "Content-Encoding": "gzip" }))).toBe(
      "content_encoding_unsupported",
    );
    expect(await codeOf(await put(`${b}/keys/a`, "1", { "Content-Range": "bytes 0-2/10" }))).toBe(
      "header_invalid",
    );
    expect((await put(`${b}/keys/a`, "1", { "Content-Encoding": "identity" })).status).toBe(201);
  });
});

describe("a range", () => {
  it.each([
    ["bytes=0-3", 206, "bytes 0-3/10", "0123"],
    ["bytes=4-", 206, "bytes 4-9/10", "456789"],
    ["bytes=-3", 206, "bytes 7-9/10", "789"],
    ["bytes=-99", 206, "bytes 0-9/10", "0123456789"],
    ["bytes=5-99", 206, "bytes 5-9/10", "56789"],
    ["bytes=9-3", 200, null, "0123456789"],
    ["bytes=0-1,4-5", 200, null, "0123456789"],
    ["lines=0-1", 200, null, "0123456789"],
    ["bytes=-", 200, null, "0123456789"],
  ])("%s of a small value", async (range, status, contentRange, text) => {
    const b = await bucket("ranges");
    await put(`${b}/keys/a`, "0123456789", { "Content-Type": "text/plain" });
    const got = await ask(`${b}/keys/a`, { headers: { Range: range } });
    expect([got.status, got.headers.get("Content-Range"), await got.text()]).toEqual([
      status,
      contentRange,
      text,
    ]);
  });

  it("that is not there is 416", async () => {
    const b = await bucket("ranges none");
    await put(`${b}/keys/a`, "0123456789");
    for (const range of ["bytes=10-", "bytes=-0"]) {
      const got = await ask(`${b}/keys/a`, { headers: { Range: range } });
      expect([got.status, got.headers.get("Content-Range"), await codeOf(got)]).toEqual([
        416,
        "bytes */10",
        "range_not_satisfiable",
      ]);
    }
  });

  it("counts only for the value that If-Range names", async () => {
    const b = await bucket("if-range");
    const tag = (await put(`${b}/keys/a`, "0123456789")).headers.get("ETag") ?? "";
    const part = (ifRange: string) =>
      ask(`${b}/keys/a`, { headers: { Range: "bytes=0-1", "If-Range": ifRange } });
    expect((await part(tag)).status).toBe(206);
    expect((await part('"other"')).status).toBe(200);
  });
});

describe("a large value", () => {
  const large = pattern(3 * CHUNK_BYTES + 17);

  it("comes back as it was, whether or not its length was announced", async () => {
    const b = await bucket("large");
    for (const body of [large, streamed(large)]) {
      expect([201, 204]).toContain(
        (await put(`${b}/keys/a?ttl=60&metadata=1`, body, { "Content-Type": "image/x" })).status,
      );
      const got = await ask(`${b}/keys/a`);
      expect(Object.fromEntries(got.headers)).toMatchObject({
        "content-type": "image/x",
        "accept-ranges": "bytes",
        "kv-metadata": "1",
      });
      expect(await hasBytes(got, large)).toBe(true);
    }
    expect((await ask(`${b}/keys/a`, { method: "HEAD" })).headers.get("Content-Length")).toBe(
      String(large.byteLength),
    );
    expect(await jsonOf(await ask(b))).toMatchObject({ entries: 1, bytes: large.byteLength + 1 });
  });

  it.each([
    [0, 0],
    [CHUNK_BYTES - 1, CHUNK_BYTES],
    [5, 2 * CHUNK_BYTES + 5],
    [3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 16],
  ])("is read in part: %i to %i", async (first, last) => {
    const b = await bucket("large parts");
    await put(`${b}/keys/a`, large, { "If-None-Match": "*" });
    const got = await ask(`${b}/keys/a`, { headers: { Range: `bytes=${first}-${last}` } });
    expect(got.status).toBe(206);
    expect(await hasBytes(got, large.slice(first, last + 1))).toBe(true);
  });

  it("of exactly one chunk, or of one byte more, comes back unchanged", async () => {
    const b = await bucket("large edges");
    for (const size of [CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES]) {
      await put(`${b}/keys/a`, streamed(large.slice(0, size)));
      expect((await (await ask(`${b}/keys/a`)).arrayBuffer()).byteLength).toBe(size);
    }
  });

  it("has at most 25 MiB, and one that has more changes nothing", { timeout: 30_000 }, async () => {
    const b = await bucket("large limit");
    const most = pattern(MAX_VALUE_BYTES);
    expect((await put(`${b}/keys/a`, streamed(most, 1_000_000))).status).toBe(201);
    const more = new Uint8Array(MAX_VALUE_BYTES + 1);
    for (const body of [more, streamed(more, 1_000_000)]) {
      expect(await codeOf(await put(`${b}/keys/a`, body))).toBe("value_too_large");
    }
    const got = await ask(`${b}/keys/a`, { headers: { Range: `bytes=${MAX_VALUE_BYTES - 9}-` } });
    expect(new Uint8Array(await got.arrayBuffer())).toEqual(most.slice(-9));
  });

  it("heeds the same conditions as a small one", async () => {
    const b = await bucket("large conditions");
    await put(`${b}/keys/a`, "small");
    expect(await codeOf(await put(`${b}/keys/a`, large, { "If-None-Match": "*" }))).toBe(
      "precondition_failed",
    );
    expect(await (await ask(`${b}/keys/a`)).text()).toBe("small");
  });

  it("whose upload breaks off leaves the old one, and nothing behind", async () => {
    const b = await bucket("large broken");
    await put(`${b}/keys/a`, "old");
    const { id } = await jsonOf<{ id: string }>(await ask(b));
    const edge = isolate();
    async function* broken(): AsyncGenerator<Uint8Array, void, void> {
      for (let sent = 0; sent < 25; sent += 1) yield new Uint8Array(100_000);
      throw new Error("gone");
    }
    const taken = new BucketHandle(edge.directory, b).upload(broken());
    await expect(taken).rejects.toMatchObject({ code: "upload_lost" });
    await edge.settled();
    expect(await (await ask(`${b}/keys/a`)).text()).toBe("old");
    expect(await chunksOf(id)).toBe(0);
  });

  it("that is uploaded and never put is removed after a while", async () => {
    const b = await bucket("large abandoned");
    const { id } = await jsonOf<{ id: string }>(await ask(b));
    const object = env.BUCKET.get(env.BUCKET.idFromString(id));
    await call(() => object.append("lost", 0, new ArrayBuffer(CHUNK_BYTES)));
    expect(await chunksOf(id)).toBe(1);
    clock.aheadMs += KEEP_MS;
    await runDurableObjectAlarm(object);
    expect(await chunksOf(id)).toBe(0);
  });

  it("can be read to its end while it is replaced", async () => {
    const b = await bucket("large replaced");
    await put(`${b}/keys/a`, large);
    const reading = await ask(`${b}/keys/a`);
    await put(`${b}/keys/a`, "small");
    expect(await hasBytes(reading, large)).toBe(true);
    expect(await (await ask(`${b}/keys/a`)).text()).toBe("small");
  });

  it("that was replaced is removed even if the bucket is idle since", async () => {
    const b = await bucket("large quiet");
    await put(`${b}/keys/a`, large);
    const { id } = await jsonOf<{ id: string }>(await ask(b));
    const object = env.BUCKET.get(env.BUCKET.idFromString(id));
    const later = async (): Promise<void> => {
      clock.aheadMs += KEEP_MS;
      await runDurableObjectAlarm(object);
    };
    await later();
    await ask(`${b}/keys/a`, { method: "DELETE" });
    expect(await chunksOf(id)).toBe(4);
    await later();
    expect(await chunksOf(id)).toBe(0);
  });

  it("for a bucket that is not there is 404", async () => {
    expect(await codeOf(await put("large-nowhere/keys/a", large))).toBe("bucket_not_found");
  });
});
