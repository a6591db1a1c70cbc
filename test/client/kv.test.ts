/** The client itself: buckets by name, and what it refuses to be made with. */

import { describe, expect, it } from "vitest";
import { bytes, InvalidRequestError, Kv, text } from "../../src/client/index.ts";
import { scripted } from "../e2e/support/scripted-fetch.ts";
import { server } from "../e2e/support/shared-server.ts";
import { bucketOf, kv } from "./support/shared-kv.ts";

describe("buckets", () => {
  it("are created, looked up, listed, ended", async () => {
    expect(await kv.create("client-life", { restart: "temporary", metadata: 1 })).toMatchObject({
      created: true,
    });
    expect(await kv.create("client-life")).toMatchObject({ created: false });
    expect(await kv.lookup("client-life")).toMatchObject({ name: "client-life", restart: "temporary" });
    const names = [];
    for await (const { name } of kv.buckets({ prefix: "client-life" })) names.push(name);
    expect(names).toEqual(["client-life"]);
    expect(await kv.exit("client-life", "done")).toBe(true);
    expect([await kv.lookup("client-life"), await kv.stop("client-life")]).toEqual([undefined, false]);
  });
});

describe("invalid input", () => {
  it.each([
    "127.0.0.1:8787",
    "localhost:8787",
    "ws://localhost",
    "",
    undefined,
    "http://localhost/?a=b",
    "http://localhost/#a",
    "http://ann:secret@localhost",
  ])("is refused as an address: %s", (url) => {
    const wrong = (): Kv => new Kv({ url: url as string });
    expect(wrong).toThrow(TypeError);
    expect(wrong).toThrow(expect.objectContaining({ code: "url_invalid" }) as Error);
  });

  it("has an error that does not repeat a password", () => {
    expect(() => new Kv({ url: "http://ann:secret@localhost" })).toThrow(/^(?!.*secret).*token/);
  });

  it("is refused as a header before anything is sent", async () => {
    for (const [work, code] of [
      [(one: Kv) => one.bucket("b").put("a", 1, { type: "text/\nplain" }), "content_type_invalid"],
      [(one: Kv) => one.bucket("b").put("a", 1, { type: "текст" }), "content_type_invalid"],
      [(one: Kv) => one.bucket("b").increment("a", { idempotencyKey: "k\n" }), "header_invalid"],
      [(one: Kv) => one.bucket("b").transaction({}, { idempotencyKey: "k\u0000" }), "header_invalid"],
      [(one: Kv) => one.bucket("b").watch({ since: "1\n" }).next(), "header_invalid"],
    ] as const) {
      const { asked, kv: client } = scripted();
      const error: unknown = await work(client).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(InvalidRequestError);
      expect(error).toMatchObject({ code, outcomeUnknown: false });
      expect(asked).toEqual([]);
    }
  });

  it.each(["", " blank", "blank ", "ключ", "a\n"])("is refused as a token: %j", (token) => {
    const wrong = (): Kv => new Kv({ url: server.http, token });
    expect(wrong).toThrow(TypeError);
    expect(wrong).toThrow(expect.objectContaining({ code: "token_invalid" }) as Error);
  });

  it("is refused as a range if it has half a character, which would stand for other keys", async () => {
    await kv.create("client-halves");
    const bucket = kv.bucket<Record<string, number>>("client-halves");
    await bucket.put("\ufffdprecious", 1);
    for (const work of [
      () => bucket.deleteRange({ prefix: "\ud83d" }),
      () => bucket.deleteRange({ start: "\ud83d" }),
      () => bucket.list({ prefix: "\ud83d" }).next(),
      () => bucket.watch({ key: "\ud83d" }).next(),
      () => bucket.export({ prefix: "\ud83d" }),
      () => kv.buckets({ prefix: "\ud83d" }).next(),
    ]) {
      const error: unknown = await work().catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "query_invalid", outcomeUnknown: false });
    }
    using session = bucket.session();
    await expect(session.bucket.list({ prefix: "\ud83d" }).next()).rejects.toMatchObject({
      code: "body_invalid",
    });
    expect(await bucket.get("\ufffdprecious")).toBe(1);
  });

  it.each([NaN, -1])("is refused as a limit: %d", async (limit) => {
    const listed = scripted().kv.bucket("b").list({ limit }).next();
    await expect(listed).rejects.toMatchObject({ code: "query_invalid", outcomeUnknown: false });
  });

  it("is refused as a value by the codec, and nothing is stored", async () => {
    await kv.create("client-no-value");
    const texts = kv.bucket<Record<string, string>>("client-no-value", { codec: text });
    const blobs = kv.bucket<Record<string, Uint8Array>>("client-no-value", { codec: bytes });
    const refused = {
      name: "InvalidRequestError",
      code: "value_invalid",
      cause: expect.any(TypeError) as Error,
    };
    for (const wrong of [5, "\ud800", undefined]) {
      await expect(texts.put("a", wrong as string)).rejects.toMatchObject(refused);
      await expect(texts.batch([{ op: "put", key: "a", value: wrong as string }])).rejects.toMatchObject(
        refused,
      );
    }
    for (const wrong of ["text", [1, 2], undefined]) {
      await expect(blobs.put("a", wrong as unknown as Uint8Array)).rejects.toMatchObject(refused);
    }
    expect(await kv.lookup("client-no-value")).toMatchObject({ entries: 0 });
    // What is plainly bytes is taken, whatever holds them.
    const { buffer } = new Uint8Array([0, 1, 2, 3]);
    const shared = new Uint8Array(new SharedArrayBuffer(4));
    shared.set([0, 1, 2, 3]);
    for (const view of [buffer, new DataView(buffer), new Uint16Array(buffer), shared]) {
      await blobs.put("a", view as unknown as Uint8Array);
      expect(await blobs.get("a")).toEqual(new Uint8Array(buffer));
      await blobs.batch([{ op: "put", key: "b", value: view as unknown as Uint8Array }]);
      expect(await blobs.get("b")).toEqual(new Uint8Array(buffer));
    }
  });
});

describe("names that would change the path", () => {
  it("are refused before anything is asked", async () => {
    for (const name of ["", ".", "..", "\ud800"]) {
      expect(() => kv.bucket(name)).toThrow(
        expect.objectContaining({ code: "bucket_name_invalid" }) as Error,
      );
      await expect(kv.stop(name)).rejects.toMatchObject({ code: "bucket_name_invalid" });
    }
    await expect((await bucketOf("client-keys")).get("\ud800")).rejects.toMatchObject({
      code: "key_invalid",
    });
  });
});
