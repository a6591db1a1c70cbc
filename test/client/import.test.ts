/** An import that is larger than what a proxy lets through: several requests, one result. */

import { describe, expect, it } from "vitest";
import {
  ImportStoppedError,
  InvalidRequestError,
  Kv,
  KvError,
  type ImportResult,
} from "../../src/client/index.ts";
import { NOWHERE } from "../e2e/support/nowhere.ts";
import { problem } from "../e2e/support/scripted-fetch.ts";
import { server } from "../e2e/support/shared-server.ts";

const line = (key: string, value = "1"): string => `${JSON.stringify({ key, value })}\n`;
/** Three lines fit. */
const PART = 3 * line("k0").length;

/** The shared server, with the bodies of its imports, and what answers one of them instead. */
function observed(instead: (request: number) => Response | undefined = () => undefined) {
  const bodies: string[] = [];
  const kv = new Kv({
    url: server.http,
    fetch: async (url, init) => {
      if (!/\/import(\?|$)/.test(url)) return fetch(url, init);
      const body = await new Response(init.body).text();
      bodies.push(body);
      return instead(bodies.length) ?? fetch(url, { ...init, body });
    },
  });
  return { kv, bodies };
}

/** A stream of one piece, whatever it is. */
const streamOf = (piece: unknown): ReadableStream =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(piece);
      controller.close();
    },
  });

const stream = (text: string): ReadableStream<Uint8Array> => new Blob([text]).stream();

describe("a large import", () => {
  it.each([
    ["text", (text: string) => text],
    ["a stream", stream],
  ])("is sent in several requests, whose results are added up: %s", async (kind, given) => {
    const { kv, bodies } = observed();
    const name = `import-parts-${kind.replace(" ", "-")}`;
    await kv.create(name);
    const old = `${JSON.stringify({ key: "old", value: "1", expires: "2020-01-01T00:00:00Z" })}\n`;
    const lines = [line("k0"), line("k1"), "\n", line("k2"), old, line("k3"), "nonsense\n", line("k0")].join(
      "",
    );
    const parts: ImportResult[] = [];
    const result = await kv.bucket(name).import(given(lines), {
      partBytes: PART,
      onError: "continue",
      onPart: (soFar) => void parts.push(soFar),
    });
    expect(bodies.length).toBeGreaterThan(2);
    expect(bodies.join("")).toBe(lines);
    expect(result).toMatchObject({ lines: 8, imported: 4, unchanged: 1, expired: 1, failed: 1 });
    expect(result.errors).toMatchObject([{ line: 7, code: "body_invalid" }]);
    expect(parts).toHaveLength(bodies.length);
    expect(parts.at(-1)).toEqual(result);
  });

  it("is one request if it fits into one", async () => {
    const { kv, bodies } = observed();
    await kv.create("import-one-part");
    await kv.bucket("import-one-part").import(stream(line("k0").repeat(3)), { partBytes: PART });
    expect(bodies).toHaveLength(1);
  });

  it("stops at an invalid line, and says which one of all", async () => {
    const { kv, bodies } = observed();
    await kv.create("import-parts-stop");
    const lines = [0, 1, 2, 3, 4].map((n) => line(`k${n}`)).join("") + "nonsense\n" + line("k5").repeat(9);
    const error: unknown = await kv
      .bucket("import-parts-stop")
      .import(lines, { partBytes: PART })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ImportStoppedError);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^Line 6: /) as string,
      details: { line: 6, lines: 6, imported: 5, failed: 1, errors: [{ line: 6 }] },
    });
    expect(bodies).toHaveLength(2);
  });

  it("says what to do when a proxy refuses its size", async () => {
    const html = { status: 413, headers: { "Content-Type": "text/html" } };
    const { kv } = observed((request) => (request === 2 ? new Response("<html>", html) : undefined));
    await kv.create("import-parts-413");
    const parts: ImportResult[] = [];
    const importing = kv.bucket("import-parts-413").import(line("k0").repeat(6), {
      partBytes: PART,
      onPart: (soFar) => void parts.push(soFar),
    });
    await expect(importing).rejects.toMatchObject({
      code: "unexpected_answer",
      status: 413,
      message: expect.stringContaining("partBytes") as string,
    });
    expect(parts).toMatchObject([{ lines: 3 }]);
    await expect(importing).rejects.toMatchObject({
      details: { lines: 3, imported: 1 },
      outcomeUnknown: true,
    });
  });

  it.each([
    ["is unknown, with what was imported, if a later request can't be sent", "refused", "connection_lost"],
    ["has what was imported if a later request breaks", "broken", "connection_lost"],
  ])("%s", async (name, how, code) => {
    const cause = Object.assign(new Error(how), { code: how === "refused" ? "ECONNREFUSED" : "ECONNRESET" });
    const { kv } = observed((request) => {
      if (request === 2) throw new TypeError("fetch failed", { cause });
      return undefined;
    });
    const bucket = `import-parts-${how}`;
    await kv.create(bucket);
    const importing = kv.bucket(bucket).import(line("k0").repeat(6), { partBytes: PART });
    await expect(importing, name).rejects.toMatchObject({
      code,
      outcomeUnknown: true,
      details: { lines: 3, imported: 1, unchanged: 2 },
      message: expect.stringMatching(/The requests before it imported 3 of the first 3 lines\.$/) as string,
    });
  });

  it.each([
    ["that is refused", 429, "too_many_connections"],
    ["whose token is wrong", 401, "unauthorized"],
    ["that the service can't serve", 503, "auth_not_configured"],
  ])("is not said to be undone because of a part %s", async (_, status, code) => {
    const { kv } = observed((request) => (request === 2 ? problem(status, code) : undefined));
    const bucket = `import-parts-${status}`;
    await kv.create(bucket);
    const importing = kv.bucket(bucket).import(line("k0").repeat(6), { partBytes: PART });
    await expect(importing).rejects.toMatchObject({ code, outcomeUnknown: true, details: { lines: 3 } });
  });

  it("takes a stream of nothing but bytes", async () => {
    const text = line("k0").repeat(6);
    await new Kv({ url: server.http }).create("import-no-bytes");
    const bucket = new Kv({ url: server.http }).bucket("import-no-bytes");
    for (const given of [
      new Blob([text]).stream().pipeThrough(new TextDecoderStream()),
      streamOf(text),
      streamOf([1, 2]),
      streamOf(new TextEncoder().encode(text).buffer),
    ]) {
      const importing = bucket.import(given);
      await expect(importing).rejects.toMatchObject({ code: "value_invalid", outcomeUnknown: false });
    }
    expect(await bucket.get("k0")).toBeUndefined();
  });

  it("is not said to be undone by something else than bytes behind bytes", async () => {
    const kv = new Kv({ url: server.http });
    await kv.create("import-mixed");
    let begun: (() => void) | undefined;
    const stored = new Promise<void>((resolve) => (begun = resolve));
    const lines = new ReadableStream<unknown>(
      {
        async start(controller) {
          controller.enqueue(new TextEncoder().encode(line("k0")));
          await stored;
          controller.enqueue("text");
          controller.close();
        },
      },
      { highWaterMark: 1 },
    );
    const importing = kv.bucket("import-mixed").import(lines as ReadableStream<Uint8Array>);
    begun?.();
    await expect(importing).rejects.toMatchObject({
      code: "value_invalid",
      outcomeUnknown: true,
      message: expect.stringContaining("may have been imported") as string,
    });
  });

  it("lets go of its stream where it can't start", async () => {
    const cancelled: string[] = [];
    const lines = (name: string): ReadableStream<Uint8Array> =>
      new ReadableStream({ cancel: () => void cancelled.push(name) });
    const bucket = new Kv({ url: NOWHERE, retries: 0 }).bucket("b", { create: true });
    await expect(bucket.import(lines("aborted"), { signal: AbortSignal.abort() })).rejects.toThrow();
    await expect(bucket.import(lines("refused"))).rejects.toMatchObject({ code: "not_connected" });
    expect(cancelled).toEqual(["aborted", "refused"]);
  });

  it("that may not start creates no bucket", async () => {
    const kv = new Kv({ url: server.http });
    const bucket = kv.bucket("import-unmade", { create: true });
    await expect(bucket.import(line("k0"), { signal: AbortSignal.abort() })).rejects.toThrow();
    await expect(bucket.import(line("k0"), { incarnation: "0123" })).rejects.toBeInstanceOf(KvError);
    expect(await kv.lookup("import-unmade")).toBeUndefined();
  });

  it.each(["while its first part is read", "before its last part"])(
    "goes to one bucket, also if that is replaced %s",
    async (when) => {
      const name = `import-parts-${when.length}`;
      const other = new Kv({ url: server.http });
      await other.create(name);
      const replace = async (): Promise<void> => {
        await other.stop(name);
        await other.create(name);
      };
      // Parts of three lines: the bucket is replaced before the first line, or before the fourth.
      const at = when.startsWith("while") ? 1 : 4;
      let sent = 0;
      const lines = new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            if ((sent += 1) === at) await replace();
            controller.enqueue(new TextEncoder().encode(line("k0")));
            if (sent === 6) controller.close();
          },
        },
        { highWaterMark: 0 },
      );
      const importing = other.bucket(name).import(lines, { partBytes: PART });
      await expect(importing).rejects.toBeInstanceOf(KvError);
      expect(await other.lookup(name)).toMatchObject({ entries: 0 });
    },
  );

  it("goes to no other bucket than the one that it names", async () => {
    const other = new Kv({ url: server.http });
    const { incarnation } = await other.create("import-incarnation");
    const bucket = other.bucket("import-incarnation");
    expect(await bucket.import(line("k0"), { incarnation })).toMatchObject({ imported: 1 });
    await other.stop("import-incarnation");
    await other.create("import-incarnation");
    for (const partBytes of [PART, 1_000_000]) {
      const importing = bucket.import(line("k0").repeat(6), { incarnation, partBytes });
      await expect(importing).rejects.toMatchObject({ code: "bucket_changed", outcomeUnknown: false });
    }
    expect(await bucket.get("k0")).toBeUndefined();
  });

  it("does not go on in the next bucket of the name", async () => {
    const other = new Kv({ url: server.http });
    await other.create("import-parts-replaced");
    const again = async (): Promise<void> => {
      await other.stop("import-parts-replaced");
      await other.create("import-parts-replaced");
    };
    const replaced = Promise.withResolvers<undefined>();
    // The third part is not ready before the bucket has been replaced.
    let sent = 0;
    const lines = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if ((sent += 1) === 7) await replaced.promise;
        controller.enqueue(new TextEncoder().encode(line("k0")));
        if (sent === 9) controller.close();
      },
    });
    let parts = 0;
    const importing = other.bucket("import-parts-replaced").import(lines, {
      partBytes: PART,
      onPart: () => {
        if ((parts += 1) === 2)
          again().then(
            () => replaced.resolve(undefined),
            (error: unknown) => replaced.reject(error),
          );
      },
    });
    await expect(importing).rejects.toBeInstanceOf(InvalidRequestError);
    await expect(importing).rejects.toMatchObject({ code: "bucket_changed" });
    expect(await other.lookup("import-parts-replaced")).toMatchObject({ entries: 0 });
  });

  it("takes no part size that is not a number of bytes", async () => {
    for (const partBytes of [0, -1, 0.5, "1"]) {
      const importing = new Kv({ url: server.http })
        .bucket("b")
        .import("", { partBytes: partBytes as number });
      await expect(importing).rejects.toMatchObject({ code: "options_invalid" });
    }
  });
});
