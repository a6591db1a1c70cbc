/** Exports and imports over HTTP, line by line. */

import { describe, expect, it } from "vitest";
import { MAX_WHOLE_LINE } from "../../src/http/ndjson.ts";
import { CHUNK_BYTES } from "../../src/model/limits.ts";
import { ask, bucket, codeOf, hasBytes, jsonOf, post, put } from "../support/http.ts";
import { clock } from "../support/objects.ts";
import { SseReader } from "../support/sse.ts";

/** Bytes whose base64 makes a line longer than those that are read as a whole. */
const LONG_BYTES = (3 / 4) * (MAX_WHOLE_LINE + 4_096);

const exported = async (b: string, query = ""): Promise<string> => {
  const response = await ask(`${b}/export${query}`);
  expect([response.status, response.headers.get("Content-Type")]).toEqual([200, "application/x-ndjson"]);
  return new TextDecoder().decode(await response.arrayBuffer());
};
const imported = (b: string, body: BodyInit, query = ""): Promise<Response> =>
  ask(`${b}/import${query}`, { method: "POST", body });
const lines = (...entries: readonly unknown[]): string =>
  entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");

describe("an export", () => {
  it("has one entry a line, with all that is kept beside its value", async () => {
    const b = await bucket("export lines");
    await put(`${b}/keys/json?metadata={"x":1}`, '{"a":1}', { "Content-Type": "application/json" });
    await put(`${b}/keys/bytes`, new Uint8Array([255, 0]));
    const expires = new Date(Date.now() + clock.aheadMs + 60_000).toISOString();
    await put(`${b}/keys/text?expires=${encodeURIComponent(expires)}`, "two\nlines", {
      "Content-Type": "text/plain; charset=utf-8",
    });
    expect(await exported(b)).toBe(
      lines(
        { key: "bytes", type: "application/octet-stream", base64: "/wA=" },
        { key: "json", type: "application/json", metadata: { x: 1 }, value: '{"a":1}' },
        { key: "text", expires, value: "two\nlines" },
      ),
    );
    expect(await exported(b, "?prefix=js")).toMatch(/^\{"key":"json".*\n$/);
  });

  it("goes over as many pages as there are", async () => {
    const b = await bucket("export pages");
    for (let part = 0; part < 3; part += 1) {
      await post(
        `${b}/batch`,
        Array.from({ length: 900 }, (_, n) => ({ op: "put", key: `${part}/${n}`, value: "" })),
      );
    }
    expect((await exported(b)).split("\n")).toHaveLength(2_701);
  });

  it("breaks off where its bucket ends, and never goes on in the next one of the name", async () => {
    const b = await bucket("export spliced");
    // More than a page, so that not all of it has been read from the bucket when that ends.
    const fill = async (from: string) => {
      for (let part = 0; part < 2; part += 1) {
        const value = "x".repeat(400_000);
        const keys = Array.from({ length: 9 }, (_, n) => ({
          op: "put",
          key: `${part}/${from}/${n}`,
          value,
        }));
        await post(`${b}/batch`, keys);
      }
    };
    await fill("old");
    const reader = (await ask(`${b}/export`)).body?.getReader();
    let text = new TextDecoder().decode((await reader?.read())?.value);
    await ask(b, { method: "DELETE" });
    await ask(b, { method: "PUT" });
    await fill("new");
    const toTheEnd = async () => {
      for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
        text += new TextDecoder().decode(part.value);
      }
    };
    await expect(toTheEnd()).rejects.toThrow();
    expect([text.includes("/old/"), text.includes("/new/")]).toEqual([true, false]);
  });

  it("of nothing is nothing, and of a bucket that is not there 404", async () => {
    expect(await exported(await bucket("export empty"))).toBe("");
    expect(await codeOf(await ask("export-nowhere/export"))).toBe("bucket_not_found");
  });
});

describe("an import", () => {
  it("brings back what was exported; once more changes nothing", async () => {
    const b = await bucket("import once");
    const text = lines(
      { key: "a", value: "1", metadata: { x: 1 }, type: "text/x" },
      { key: "b", base64: "/w==" },
      { key: "c", json: [1] },
    );
    expect(await jsonOf(await imported(b, text))).toEqual({
      lines: 3,
      imported: 3,
      unchanged: 0,
      expired: 0,
      failed: 0,
      errors: [],
    });
    expect(await jsonOf(await imported(b, text))).toMatchObject({ imported: 0, unchanged: 3 });
    expect(await jsonOf(await ask(b))).toMatchObject({ entries: 3, revision: 3 });
  });

  it("knows text whose type was said from text whose type goes without saying: it is the same", async () => {
    const b = await bucket("import typed");
    await put(`${b}/keys/a`, "1", { "Content-Type": "text/plain; charset=utf-8" });
    expect(await jsonOf(await imported(b, await exported(b)))).toMatchObject({ imported: 0, unchanged: 1 });
  });

  it("leaves out what has expired, and empty lines, and takes a last line without its end", async () => {
    const b = await bucket("import expired");
    const text = `\ufeff${lines({ key: "b", value: "1" })}${lines({ key: "old", value: "1", expires: "2020-01-01T00:00:00Z" })}  \r\n{"key":"a","value":"1"}`;
    expect(await jsonOf(await imported(b, text))).toMatchObject({ lines: 4, imported: 2, expired: 1 });
  });

  const faulty = lines(
    { key: "a", value: "1" },
    { key: "b" },
    { key: "c", value: "1", ttl: 0 },
    { key: "d", value: "1" },
  );

  it("stops at a line that is wrong, with all before it done and none behind", async () => {
    const b = await bucket("import stops");
    const response = await imported(b, faulty);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      code: "import_stopped",
      line: 2,
      imported: 1,
      failed: 1,
      errors: [{ line: 2, code: "body_invalid", detail: expect.stringContaining("value") as string }],
    });
    expect(await exported(b)).toBe(lines({ key: "a", value: "1" }));
  });

  it("goes on, if it is told to, and says which lines were wrong", async () => {
    const b = await bucket("import goes on");
    const text = `${faulty}not json\n${lines({ key: "e", value: "1", expires: "2999-01-01T00:00:00Z" }, { key: "f", value: "1" })}`;
    expect(await jsonOf(await imported(b, text, "?onError=continue"))).toMatchObject({
      lines: 7,
      imported: 3,
      failed: 4,
      errors: [
        { line: 2, code: "body_invalid" },
        { line: 3, code: "body_invalid" },
        { line: 5, code: "body_invalid" },
        { line: 6, code: "expires_invalid" },
      ],
    });
  });

  it("stops at what only the bucket can tell, too", async () => {
    const b = await bucket("import refused");
    const text = lines(
      { key: "a", value: "1" },
      { key: "e", value: "1", expires: "2999-01-01T00:00:00Z" },
      { key: "f", value: "1" },
    );
    expect(await (await imported(b, text)).json()).toMatchObject({
      code: "import_stopped",
      line: 2,
      lines: 2,
      imported: 1,
    });
    expect(await exported(b)).toBe(lines({ key: "a", value: "1" }));
  });

  it("says which lines were wrong up to a thousand, and counts them all", async () => {
    const b = await bucket("import many errors");
    const response = await imported(b, "{}\n".repeat(1_200), "?onError=continue");
    const { failed, errors } = await jsonOf<{ failed: number; errors: unknown[] }>(response);
    expect([failed, errors.length]).toEqual([1_200, 1_000]);
  });

  it("of a bucket that is replaced meanwhile does not go on in the next one", async () => {
    const b = await bucket("import spliced");
    const { readable, writable } = new IdentityTransformStream();
    const writer = writable.getWriter();
    const watching = new SseReader(await ask(`${b}/watch`));
    const importing = imported(b, readable);
    const many = (from: number) =>
      lines(...Array.from({ length: 1_500 }, (_, n) => ({ key: `k${from + n}`, value: "1" })));
    await writer.write(new TextEncoder().encode(many(0)));
    // All of the groups that are full: what is left waits for more lines.
    for (let n = 0; n < 1_280; n += 1) expect(await watching.next()).toMatchObject({ event: "put" });
    await watching.close();
    await ask(b, { method: "DELETE" });
    await ask(b, { method: "PUT" });
    await writer.write(new TextEncoder().encode(many(5_000))).catch(() => undefined);
    await writer.close().catch(() => undefined);
    expect(await codeOf(await importing)).toBe("bucket_not_found");
    expect(await jsonOf(await ask(b))).toMatchObject({ entries: 0 });
  });

  it("into a bucket that is not there is 404, and a wrong query 400", async () => {
    expect(await codeOf(await imported("import-nowhere", faulty))).toBe("bucket_not_found");
    expect(await codeOf(await imported(await bucket("import wrong"), faulty, "?onError=ignore"))).toBe(
      "query_invalid",
    );
  });
});

describe("export, import, export", () => {
  it("is the same for values that don't fit in memory together", { timeout: 30_000 }, async () => {
    const [one, other] = [await bucket("large round"), await bucket("large trip")];
    const sizes = [CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 9 * CHUNK_BYTES + 2];
    for (const size of sizes) {
      const bytes = new Uint8Array(size);
      for (let at = 0; at < size; at += 1) bytes[at] = (at * 7 + (at >> 9)) & 255;
      await put(`${one}/keys/${size}?metadata={"base64":"x"}`, bytes, { "Content-Type": "image/x" });
    }
    await put(`${one}/keys/small`, "1");
    const first = await exported(one);
    expect(await jsonOf(await imported(other, first))).toMatchObject({ lines: 4, imported: 4, failed: 0 });
    expect((await exported(other)) === first).toBe(true);
  });

  it("of a large value changes nothing the second time", { timeout: 30_000 }, async () => {
    const b = await bucket("large once");
    const line = (last: string) => `{"key": "a", "base64": "${"A".repeat(9 * CHUNK_BYTES)}${last}"}\n`;
    expect(await jsonOf(await imported(b, line("AAAA")))).toMatchObject({ imported: 1 });
    expect(await jsonOf(await imported(b, line("AAAA")))).toMatchObject({ imported: 0, unchanged: 1 });
    expect(await jsonOf(await imported(b, line("AAAB")))).toMatchObject({ imported: 1 });
    expect(await jsonOf(await ask(b))).toMatchObject({ revision: 2 });
  });

  it("takes base64 of a long line as JSON may write it: with escapes, and with blanks within", async () => {
    const b = await bucket("long written");
    const bytes = new Uint8Array(LONG_BYTES).fill(255);
    const plain = bytes.toBase64();
    // All of it is slashes; each 4,096 are written with escapes, and on a line of their own.
    const part = "/".repeat(4_096);
    expect(plain).toBe(part.repeat(plain.length / part.length));
    const written = `${part.slice(4)}${String.raw`\/\u002f/\u002F\r\n `}`.repeat(plain.length / part.length);
    expect(await jsonOf(await imported(b, `{"key":"a","base64":"${written}"}\n`))).toMatchObject({
      imported: 1,
    });
    expect(await hasBytes(await ask(`${b}/keys/a`), bytes)).toBe(true);
    // Half of a character, behind all that is right.
    const line = new Blob([`{"key":"a","base64":"${plain}`, new Uint8Array([0xe2, 0x82]), '"}\n']);
    expect(await codeOf(await imported(b, line))).toBe("import_stopped");
  });

  it("of a long line that was cut off, with others behind it, is wrong about that line alone", async () => {
    const b = await bucket("long cut");
    const cut = `{"key":"cut","base64":"${"A".repeat(9 * CHUNK_BYTES)}\n`;
    const text = `${lines({ key: "before", value: "1" })}${cut}${lines({ key: "after", value: "1" })}not json\n`;
    expect(await jsonOf(await imported(b, text, "?onError=continue"))).toMatchObject({
      lines: 4,
      imported: 2,
      errors: [{ line: 2 }, { line: 4 }],
    });
    expect(await exported(b)).toBe(lines({ key: "after", value: "1" }, { key: "before", value: "1" }));
  });

  it("refuses a key that is no UTF-8, in a long line as in a short one", async () => {
    const b = await bucket("import no utf8");
    for (const value of ["AAAA", "A".repeat(9 * CHUNK_BYTES)]) {
      const line = new Blob(['{"key":"k', new Uint8Array([255]), `","base64":"${value}"}\n`]);
      expect(await codeOf(await imported(b, line))).toBe("import_stopped");
    }
    expect(await exported(b)).toBe("");
  });

  it("tells of a long line that is wrong, and goes on behind it", { timeout: 30_000 }, async () => {
    const b = await bucket("long wrong");
    const long = "A".repeat(9 * CHUNK_BYTES);
    const text =
      `{"base64":"${long}","key":"a"}\n{"key":"b","value":"${long}"}\n{"key":"c","base64":"${long.slice(1)}!"}\n` +
      lines({ key: "d", value: "1" });
    expect(await jsonOf(await imported(b, text, "?onError=continue"))).toMatchObject({
      lines: 4,
      imported: 1,
      errors: [{ line: 1 }, { line: 2 }, { line: 3 }],
    });
    expect(await exported(b)).toBe(lines({ key: "d", value: "1" }));
  });
});
