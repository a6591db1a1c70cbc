import { describe, expect, it, vi } from "vitest";
import type { KvError } from "../../src/client/index.ts";
import {
  BucketDownError,
  BucketNotFoundError,
  bytes,
  ConnectionError,
  DecodeError,
  IdempotencyKeyReusedError,
  InvalidRequestError,
  Kv,
  NotAnIntegerError,
  PreconditionFailedError,
  RevisionCompactedError,
  text,
  TimeoutError,
  TooLargeError,
  UnauthorizedError,
  type Change,
} from "../../src/client/index.ts";
import { startProxy } from "./support/proxy.ts";
import { events, problem, scripted, scriptedWith, value } from "./support/scripted-fetch.ts";
import { startServer, temporaryFolder } from "./support/server.ts";
import { server } from "./support/shared-server.ts";

const kv = new Kv({ url: server.http });

async function bucketOf<T extends object = Record<string, unknown>>(name: string) {
  await kv.create(name);
  return kv.bucket<T>(name);
}

describe("a bucket's values", () => {
  it("have the types that the bucket was opened with", async () => {
    const cart = await bucketOf<{ milk: number; note: { text: string } }>("client-typed");
    await cart.put("milk", 3);
    await cart.put("note", { text: "soon" }, { ttl: 60, metadata: { by: "Zoë" } });
    expect((await cart.get("milk"))?.toFixed(1)).toBe("3.0");
    expect((await cart.get("note"))?.text).toBe("soon");
    expect(await cart.entry("note")).toMatchObject({
      type: "application/json",
      metadata: { by: "Zoë" },
      expires: expect.any(Date) as Date,
    });
    expect(await cart.has("milk")).toBe(true);
    expect(await cart.delete("milk")).toBe(true);
    expect(await cart.delete("milk")).toBe(false);
    expect([await cart.has("milk"), await cart.get("milk")]).toEqual([false, undefined]);
  });

  it("are JSON, text or bytes, as the codec says", async () => {
    await kv.create("client-codecs");
    const raw = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const [asText, asBytes] = [
      kv.bucket<Record<string, string>>("client-codecs", { codec: text }),
      kv.bucket<Record<string, Uint8Array>>("client-codecs", { codec: bytes }),
    ];
    await asText.put("a", "\ufeffé");
    expect(await asText.get("a")).toBe("\ufeffé");
    await asBytes.put("b", raw);
    expect(await asBytes.get("b")).toEqual(raw);
    const session = asBytes.session();
    expect(await session.bucket.get("b")).toEqual(raw);
    await session.bucket.put("c", raw);
    expect((await asBytes.entry("c"))?.type).toBe("application/octet-stream");
    session.close();
    await expect((await bucketOf("client-json")).put("a", undefined)).rejects.toMatchObject({
      code: "value_invalid",
    });
  });

  it("are updated by what they are, by many at once, and none is lost", async () => {
    const bucket = await bucketOf<{ list: number[] }>("client-update");
    await Promise.all(
      Array.from({ length: 12 }, (_, n) => bucket.update("list", (list = []) => [...list, n])),
    );
    expect((await bucket.get("list"))?.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 12 }, (_, n) => n),
    );
    expect(await bucket.update("list", () => undefined)).toBeUndefined();
  });

  it("are updated again after a while, where somebody was faster, unless that takes too long", async () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(0.5);
    const contended = () =>
      scriptedWith({ retryBaseMs: 5_000 }, value(1), problem(412, "precondition_failed"), value(2));
    const [late, told] = [contended(), contended()];
    const increment = (n = 0): number => n + 1;
    await expect(
      late.kv.bucket<{ a: number }>("b").update("a", increment, { timeoutMs: 20 }),
    ).rejects.toBeInstanceOf(TimeoutError);
    const abort = new AbortController();
    const reason = new Error("never mind");
    const updating = told.kv.bucket<{ a: number }>("b").update("a", increment, { signal: abort.signal });
    // What does not wait is done once all that is due has run.
    await new Promise(setImmediate);
    abort.abort(reason);
    await expect(updating).rejects.toBe(reason);
    expect([late.asked.length, told.asked.length]).toEqual([2, 2]);
    random.mockRestore();
  });

  it("under a condition that nothing meets are not put, and a change may take its time", async () => {
    const bucket = await bucketOf<Record<string, number>>("client-no-tags");
    await bucket.put("a", 1);
    await expect(bucket.put("a", 2, { ifMatch: [] })).rejects.toBeInstanceOf(PreconditionFailedError);
    await bucket.update("a", async (before = 0) => before + 1);
    expect(await bucket.get("a")).toBe(2);
  });

  it("count beyond what a number holds", async () => {
    const bucket = await bucketOf("client-count");
    expect(await bucket.increment("n", { by: 2n ** 60n })).toMatchObject({ value: 2n ** 60n });
    expect(await bucket.increment("m", { initial: 5, by: -2 })).toMatchObject({ value: 3, created: true });
  });

  it("are listed page after page", async () => {
    const bucket = await bucketOf<Record<string, number>>("client-list");
    for (let part = 0; part < 3; part += 1) {
      await bucket.batch(
        Array.from(
          { length: 800 },
          (_, n) => ({ op: "put", key: `${part}-${String(n).padStart(3, "0")}`, value: n }) as const,
        ),
      );
    }
    let count = 0;
    let sum = 0;
    for await (const { value: number } of bucket.list({ values: true })) {
      count += 1;
      sum += number ?? 0;
    }
    expect([count, sum]).toEqual([2_400, (3 * (799 * 800)) / 2]);
    const few = [];
    for await (const { key } of bucket.list({ limit: 2, reverse: true })) few.push(key);
    expect(few).toEqual(["2-799", "2-798"]);
    expect(await bucket.deleteRange({ prefix: "1-" })).toBe(800);
  });

  it("are exported and imported", async () => {
    const [one, other] = [await bucketOf("client-export"), await bucketOf("client-import")];
    await one.put("a", { x: 1 }, { metadata: 1 });
    const lines = await new Response(await one.export()).text();
    expect(await other.import(lines)).toMatchObject({ imported: 1 });
    expect(await other.import(await one.export())).toMatchObject({ unchanged: 1 });
    expect(await other.get("a")).toEqual({ x: 1 });
  });

  it("are read for an import no longer than that lasts", async () => {
    const controller = new AbortController();
    const encoder = new TextEncoder();
    let lines = 0;
    const told = Promise.withResolvers<string>();
    const long = new ReadableStream<Uint8Array>({
      pull: async (source) => {
        await new Promise(setImmediate);
        lines += 1;
        source.enqueue(encoder.encode(`{"key":"k${lines}","value":"1"}\n`));
        if (lines === 5) controller.abort(new Error("enough"));
        if (lines === 5_000) told.resolve("read to its end");
      },
      cancel: () => told.resolve("cancelled"),
    });
    const bucket = await bucketOf("client-import-abort");
    await expect(bucket.import(long, { signal: controller.signal })).rejects.toThrow("enough");
    expect(await told.promise).toBe("cancelled");
    // Also where it is turned down before all of it is read.
    const refused = Promise.withResolvers<unknown>();
    const { kv: client } = scripted(problem(404, "bucket_not_found"));
    const unread = new ReadableStream<Uint8Array>({ cancel: refused.resolve });
    await expect(client.bucket("b").import(unread)).rejects.toBeInstanceOf(BucketNotFoundError);
    await refused.promise;
  });
});

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

describe("errors", () => {
  it("are classes by code", async () => {
    const bucket = await bucketOf("client-errors");
    await bucket.put("text", "much");
    for (const [work, Class] of [
      [() => kv.bucket("client-nowhere").get("a"), BucketNotFoundError],
      [() => kv.bucket("client-nowhere").has("a"), BucketNotFoundError],
      [() => bucket.put("text", "x", { ifNoneMatch: "*" }), PreconditionFailedError],
      [() => bucket.increment("text"), NotAnIntegerError],
      [() => bucket.put("k".repeat(2_000), 1), InvalidRequestError],
      [() => bucket.put("large", "x".repeat(27_000_000)), TooLargeError],
      [() => bucket.transaction({ then: [{ op: "increment", key: "text" }] }), NotAnIntegerError],
      [() => bucket.watch({ since: 99 }).next(), RevisionCompactedError],
    ] as const) {
      const error: unknown = await work().catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(Class);
      expect((error as KvError).outcomeUnknown).toBe(false);
    }
    await bucket.increment("n", { idempotencyKey: "k" });
    await expect(bucket.increment("n", { by: 2, idempotencyKey: "k" })).rejects.toBeInstanceOf(
      IdempotencyKeyReusedError,
    );
    const [refused] = await bucket.batch([{ op: "increment", key: "text" }]);
    expect(refused).toBeInstanceOf(NotAnIntegerError);
  });

  it("have their codes also where it is only asked whether a key is there", async () => {
    const bucket = await bucketOf("client-errors-has");
    await expect(bucket.has("k".repeat(2_000))).rejects.toMatchObject({ code: "key_too_long" });
  });

  it("are errors whatever their code is", async () => {
    for (const code of ["constructor", "toString", "__proto__"]) {
      const error: unknown = await scripted(problem(409, code))
        .kv.bucket("b")
        .put("a", 1)
        .catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(InvalidRequestError);
      expect(error).toMatchObject({ code, message: "as told" });
    }
  });

  it("say that a token is missing", async () => {
    const locked = await startServer({ environment: { KV_TOKEN: "s3cret" } });
    try {
      await expect(new Kv({ url: locked.http }).bucket("a").has("k")).rejects.toMatchObject({
        code: "unauthorized",
      });
      await expect(new Kv({ url: locked.http }).create("a")).rejects.toBeInstanceOf(UnauthorizedError);
      const open = new Kv({ url: locked.http, token: "s3cret" });
      await open.create("a");
      const session = open.bucket<Record<string, number>>("a").session();
      await session.bucket.put("x", 1);
      expect(await session.bucket.get("x")).toBe(1);
      session.close();
      const refused = new Kv({ url: locked.http, token: "wrong" }).bucket("a").session();
      await expect(refused.bucket.get("x")).rejects.toBeInstanceOf(UnauthorizedError);
      refused.close();
    } finally {
      await locked.stop();
    }
  });
});

describe("trying again", () => {
  it("is for what can be done twice: reads, ensuring, and what has an idempotency key", async () => {
    for (const work of [
      (one: Kv) => one.bucket("b").get("a"),
      (one: Kv) => one.create("b"),
      (one: Kv) => one.bucket("b").increment("a", { idempotencyKey: "k" }),
      (one: Kv) => one.bucket("b").transaction({}, { idempotencyKey: "k" }),
      (one: Kv) => one.bucket("b").transaction({ if: [{ key: "a", exists: true }], then: [], else: [] }),
    ]) {
      const answer = {
        name: "b",
        value: 1,
        created: true,
        revision: 1,
        etag: "i-1",
        succeeded: true,
        results: [],
      };
      const script = scripted("break", problem(503, "unavailable"), value(answer));
      await work(script.kv);
      expect(script.asked).toHaveLength(3);
    }
  });

  it("is not for a write: between two tries somebody else may have written", async () => {
    for (const work of [
      (one: Kv) => one.bucket("b").put("a", 1),
      (one: Kv) => one.bucket("b").delete("a"),
      (one: Kv) => one.bucket("b").increment("a"),
      (one: Kv) => one.bucket("b").transaction({ then: [], else: [{ op: "delete", key: "a" }] }),
      (one: Kv) =>
        one.bucket("b").batch([
          { op: "get", key: "a" },
          { op: "put", key: "a", value: 1 },
        ]),
      (one: Kv) => one.stop("b"),
    ]) {
      const script = scripted("break", value({}));
      const error: unknown = await work(script.kv).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(ConnectionError);
      expect((error as KvError).outcomeUnknown).toBe(true);
      expect(script.asked).toHaveLength(1);
    }
  });

  it("is not for an import either", async () => {
    const { asked, kv: client } = scripted("break");
    await expect(client.bucket("b").import('{"key":"a","value":"1"}\n')).rejects.toBeInstanceOf(
      ConnectionError,
    );
    expect(asked).toHaveLength(1);
  });

  it("ends after a few times, and at once where it would not help", async () => {
    const broken = scripted("break", "break", "break", "break", "break");
    await expect(broken.kv.bucket("b").get("a")).rejects.toBeInstanceOf(ConnectionError);
    expect(broken.asked).toHaveLength(4);
    const wrong = scripted(problem(400, "key_invalid"), value(1));
    await expect(wrong.kv.bucket("b").get("a")).rejects.toBeInstanceOf(InvalidRequestError);
    expect(wrong.asked).toHaveLength(1);
  });

  it("does not hide what something else on the way has answered", async () => {
    const { kv: behindProxy } = scripted(new Response("<html>Bad gateway", { status: 502 }));
    await expect(behindProxy.bucket("b").put("a", 1)).rejects.toMatchObject({
      code: "unexpected_answer",
      status: 502,
    });
  });
});

describe("an answer that can't be read", () => {
  it("breaks off: that is the connection's, and is tried again where that is safe", async () => {
    const cut = (): Response => {
      const body = new ReadableStream({
        pull: (controller) => controller.error(new TypeError("terminated")),
      });
      return new Response(body);
    };
    const script = scripted(cut(), value({ keys: [] }));
    const keys = [];
    for await (const { key } of script.kv.bucket("b").list()) keys.push(key);
    expect([keys, script.asked.length]).toEqual([[], 2]);
    await expect(scripted(cut()).kv.bucket("b").increment("n")).rejects.toBeInstanceOf(ConnectionError);
  });

  it("breaks off in an export: whoever reads that is told so", async () => {
    const cause = new TypeError("terminated");
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"key":"a","value":"1"}\n')),
      pull: (controller) => controller.error(cause),
    });
    const script = scripted(new Response(body, { headers: { "Content-Type": "application/x-ndjson" } }));
    const lines = await script.kv.bucket("b").export();
    const error: unknown = await new Response(lines).text().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: "connection_lost", cause });
  });

  it("is not of the service at all: a put is not taken to be done", async () => {
    const { kv: client } = scripted(new Response("<html>Log in</html>"));
    const error = await client
      .bucket("b")
      .put("a", 1)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "unexpected_answer", outcomeUnknown: true });
  });

  it("is no JSON: that says so", async () => {
    const { kv: odd } = scripted(new Response("<html>"));
    await expect(odd.lookup("b")).rejects.toMatchObject({ code: "unexpected_answer" });
  });

  it("is not what the codec expects: that is one value's, and not the others'", async () => {
    const bucket = await bucketOf("client-undecodable");
    await kv.bucket<Record<string, string>>("client-undecodable", { codec: text }).put("bad", "{");
    await bucket.put("good", 1);
    await expect(bucket.get("bad")).rejects.toMatchObject({
      code: "value_undecodable",
      details: { key: "bad" },
    });
    const [good, bad] = await bucket.batch([
      { op: "get", key: "good" },
      { op: "get", key: "bad" },
    ]);
    expect([good, bad]).toMatchObject([{ value: 1 }, { code: "value_undecodable" }]);
  });

  it("is not what the codec expects: a watch and a list go on behind it", async () => {
    const bucket = await bucketOf("client-behind");
    await bucket.put("a", 1);
    await kv.bucket("client-behind", { codec: text }).put("bad", "{");
    await bucket.put("c", 2);
    const unreadable = async (work: Promise<unknown>): Promise<DecodeError> => {
      const error: unknown = await work.catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(DecodeError);
      expect(error).toMatchObject({ details: { key: "bad" } });
      return error as DecodeError;
    };
    const changes = bucket.watch({ since: 0 });
    expect(await changes.next()).toMatchObject({ value: { key: "a" } });
    const { id } = (await unreadable(changes.next())).details;
    const behind = bucket.watch({ since: id as string });
    expect(await behind.next()).toMatchObject({ value: { key: "c", value: 2 } });
    await behind.return();
    const session = bucket.session();
    for (const listing of [bucket, session.bucket]) {
      for (const [reverse, next] of [
        [false, "c"],
        [true, "a"],
      ] as const) {
        const options = { values: true, reverse };
        const { cursor } = (await unreadable(Array.fromAsync(listing.list(options)))).details;
        const rest = await Array.fromAsync(listing.list({ ...options, cursor: cursor as string }));
        expect(rest.map(({ key }) => key)).toEqual([next]);
      }
    }
    session.close();
  });
});

describe("what can't be meant", () => {
  it.each([
    "127.0.0.1:8787",
    "localhost:8787",
    "ws://localhost",
    "",
    undefined,
    "http://localhost/?a=b",
    "http://localhost/#a",
    "http://ann:secret@localhost",
  ])("no address: %s", (url) => {
    const wrong = (): Kv => new Kv({ url: url as string });
    expect(wrong).toThrow(TypeError);
    expect(wrong).toThrow(expect.objectContaining({ code: "url_invalid" }) as Error);
  });

  it("no password in an address: what is said of it does not tell it", () => {
    expect(() => new Kv({ url: "http://ann:secret@localhost" })).toThrow(/^(?!.*secret).*token/);
  });

  it("no header: nothing is sent, and that is said", async () => {
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

  it.each(["", " blank", "blank ", "ключ", "a\n"])("no token: %j", (token) => {
    const wrong = (): Kv => new Kv({ url: server.http, token });
    expect(wrong).toThrow(TypeError);
    expect(wrong).toThrow(expect.objectContaining({ code: "token_invalid" }) as Error);
  });

  it("no half of a character in what says which keys: it would stand for others", async () => {
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

  it.each([NaN, -1])("no limit of %d", async (limit) => {
    const listed = scripted().kv.bucket("b").list({ limit }).next();
    await expect(listed).rejects.toMatchObject({ code: "query_invalid", outcomeUnknown: false });
  });

  it("no text, no bytes: nothing is stored", async () => {
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

describe("names that lead elsewhere", () => {
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

describe("giving up", () => {
  it("does not happen early where the deadline is far", async () => {
    expect(await kv.lookup("client-nowhere", { timeoutMs: Infinity })).toBeUndefined();
    expect(await kv.lookup("client-nowhere", { timeoutMs: 3_000_000_000 })).toBeUndefined();
  });

  it("happens at the deadline, and says that the outcome is unknown", async () => {
    const { kv: slow } = scripted("hang");
    const error: unknown = await slow
      .bucket("b")
      .put("a", 1, { timeoutMs: 20 })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TimeoutError);
    expect((error as KvError).outcomeUnknown).toBe(true);
  });

  it("happens also where a fetch of the caller's own does not heed the signal", async () => {
    const deaf = new Kv({ url: "http://kv.test", fetch: () => new Promise(() => undefined) });
    await expect(deaf.bucket("b").get("a", { timeoutMs: 1 })).rejects.toBeInstanceOf(TimeoutError);
    const reason = new Error("never mind");
    const abort = new AbortController();
    const asking = deaf.bucket("b").get("a", { signal: abort.signal });
    abort.abort(reason);
    await expect(asking).rejects.toBe(reason);
  });

  it("happens to many calls at once, on one listener of their signal", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const listen = vi.spyOn(signal, "addEventListener");
    const { kv: slow } = scripted(...Array.from({ length: 20 }, () => "hang" as const));
    const asked = Array.from({ length: 20 }, () => slow.bucket("b").get("a", { signal }));
    controller.abort(new Error("never mind"));
    for (const one of asked) await expect(one).rejects.toThrow("never mind");
    expect(listen).toHaveBeenCalledTimes(1);
  });

  it("happens when the caller says so, with the caller's reason", async () => {
    const { kv: slow } = scripted("hang");
    const controller = new AbortController();
    const asked = slow.bucket("b").get("a", { signal: controller.signal });
    const reason = new Error("never mind");
    controller.abort(reason);
    await expect(asked).rejects.toBe(reason);
    await expect(slow.bucket("b").get("a", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("watching", () => {
  it("brings changes with their values, from a snapshot on, until it is told to stop", async () => {
    const bucket = await bucketOf<Record<string, number>>("client-watch");
    await bucket.put("a", 1);
    const controller = new AbortController();
    const changes = bucket.watch({ snapshot: true, signal: controller.signal });
    expect(await changes.next()).toEqual({ value: { event: "begin" }, done: false });
    expect(await changes.next()).toMatchObject({ value: { event: "entry", key: "a", value: 1 } });
    expect(await changes.next()).toMatchObject({ value: { event: "end_of_snapshot", revision: 1 } });
    await bucket.put("b", 2);
    await bucket.delete("a");
    expect(await changes.next()).toMatchObject({ value: { event: "put", key: "b", value: 2, revision: 2 } });
    expect(await changes.next()).toMatchObject({
      value: { event: "delete", key: "a", at: expect.any(Date) as Date },
    });
    const next = changes.next();
    controller.abort(new Error("enough"));
    await expect(next).rejects.toThrow("enough");
  });

  it("opens a stream anew that says nothing any more", async () => {
    const silent = (): Response => events(new ReadableStream());
    const put = { key: "a", revision: 1, etag: "i-1", type: "", value: "1" };
    const speaks = (): Response => events(`id: i-1\nevent: put\ndata: ${JSON.stringify(put)}\n\n`);
    const answers = [silent(), silent(), speaks()];
    let asked = 0;
    const client = new Kv({
      url: "http://kv.test",
      silenceMs: 60_000,
      fetch: () => Promise.resolve(answers[(asked += 1) - 1] ?? silent()),
    });
    vi.useFakeTimers();
    try {
      const heard: unknown[] = [];
      void client
        .bucket("b")
        .watch()
        .next()
        .then((change) => heard.push(change));
      while (heard.length === 0) await vi.advanceTimersByTimeAsync(1_000);
      expect(heard).toMatchObject([{ value: { key: "a", value: 1 } }]);
      expect(asked).toBe(3);
    } finally {
      vi.useRealTimers();
    }
  });

  it("ends at once when its reader ends it, whatever it waits for", async () => {
    const bucket = await bucketOf("client-watch-return");
    for (const stream of [bucket.watch(), kv.monitor("client-watch-return")]) {
      const next = stream.next();
      expect(await stream.return()).toEqual({ done: true, value: undefined });
      expect(await next).toEqual({ done: true, value: undefined });
    }
    const kept = bucket.watch({ snapshot: true });
    for await (const change of kept) if (change.event === "end_of_snapshot") break;
    expect(await kept.next()).toEqual({ done: true, value: undefined });
  });

  it("ends with the bucket, and says why", async () => {
    const bucket = await bucketOf("client-watch-down");
    const changes = bucket.watch({ snapshot: true });
    for (const event of ["begin", "end_of_snapshot"]) {
      expect(await changes.next()).toMatchObject({ value: { event } });
    }
    const next = changes.next().catch((caught: unknown) => caught);
    await kv.stop("client-watch-down");
    const error: unknown = await next;
    expect(error).toBeInstanceOf(BucketDownError);
    expect((error as KvError).details).toEqual({ reason: "normal" });
  });

  it("ends with the bucket also where that ended while nobody listened", async () => {
    const cut = scripted(events("id: i-1\n\n"), problem(404, "bucket_not_found"));
    const error: unknown = await cut.kv
      .bucket("b")
      .watch()
      .next()
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(BucketDownError);
    expect((error as KvError).details).toEqual({ reason: "noproc" });
    // Who has heard nothing yet has asked for what is not there.
    const never = scripted(problem(404, "bucket_not_found"));
    await expect(never.kv.bucket("b").watch().next()).rejects.toBeInstanceOf(BucketNotFoundError);
  });

  it("tells nothing more once its signal has fired, whatever has come by then", async () => {
    const put = (n: number): string =>
      `id: i-${n}\nevent: put\ndata: ${JSON.stringify({ key: "a", revision: n, etag: `i-${n}`, type: "", value: "1" })}\n\n`;
    const { kv: told } = scripted(events(put(1) + put(2) + put(3)));
    const controller = new AbortController();
    const changes = told.bucket("b").watch({ signal: controller.signal });
    expect(await changes.next()).toMatchObject({ value: { revision: 1 } });
    controller.abort(new Error("enough"));
    await expect(changes.next()).rejects.toThrow("enough");
  });

  it.each([500, 520, 408])("comes back through HTTP %d of somebody on the way", async (status) => {
    const put = { key: "a", revision: 1, etag: "i-1", type: "", value: "1" };
    const answers = [
      events("id: i-0\n\n"),
      new Response("<html>", { status }),
      events(`id: i-1\nevent: put\ndata: ${JSON.stringify(put)}\n\n`),
    ];
    const { kv: cut } = scripted(...answers);
    expect(await cut.bucket("b").watch().next()).toMatchObject({ value: { revision: 1 } });
  });

  it("and an export are asked for again where that is safe: they only read", async () => {
    const lines = (): Response =>
      new Response("{}\n", { headers: { "Content-Type": "application/x-ndjson" } });
    const { kv: busy, asked } = scripted(problem(503, "overloaded"), "break", lines());
    expect(await new Response(await busy.bucket("b").export()).text()).toBe("{}\n");
    const put = { key: "a", revision: 1, etag: "i-1", type: "", value: "1" };
    const { kv: down } = scripted("break", events(`event: put\ndata: ${JSON.stringify(put)}\n\n`));
    expect(await down.bucket("b").watch().next()).toMatchObject({ value: { revision: 1 } });
    expect(asked).toHaveLength(3);
  });

  it("waits for ever for a sign of life, if it is told to", async () => {
    vi.useFakeTimers();
    try {
      const quiet = scriptedWith({ silenceMs: Infinity }, events(new ReadableStream()));
      const changes = quiet.kv.bucket("b").watch();
      const next = changes.next();
      await vi.advanceTimersByTimeAsync(86_400_000);
      expect(quiet.asked).toHaveLength(1);
      await changes.return();
      await next;
    } finally {
      vi.useRealTimers();
    }
  });

  it("goes on by itself when the server was killed, with every change once", async () => {
    const folder = temporaryFolder();
    let running = await startServer({ data: folder.path });
    // The next server is at another port, and the client asks at the same one.
    const proxy = await startProxy(() => running.http);
    const client = new Kv({ url: proxy.url, retryBaseMs: 20 });
    await client.create("killed");
    const bucket = client.bucket<Record<string, number>>("killed");
    const heard: Change[] = [];
    const controller = new AbortController();
    const watching = (async () => {
      for await (const change of bucket.watch({ since: 0, signal: controller.signal })) {
        heard.push(change);
        if (heard.length === 30) break;
      }
    })();
    for (let n = 0; n < 10; n += 1) await bucket.put(`k${n}`, n);
    for (let kill = 0; kill < 2; kill += 1) {
      await running.killAll();
      running = await startServer({ data: folder.path });
      for (let n = 0; n < 10; n += 1) await bucket.put(`k${n}`, n);
    }
    await watching;
    expect(heard.map((change) => "revision" in change && change.revision)).toEqual(
      Array.from({ length: 30 }, (_, n) => n + 1),
    );
    proxy.close();
    await running.stop();
    await folder.remove();
  });
});
