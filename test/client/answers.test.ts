/** Answers that are not the service's: of a captive portal, a proxy, or another service that has its address. */

import { describe, expect, it } from "vitest";
import { bytes, Kv, text, type KvError } from "../../src/client/index.ts";
import { events, scripted } from "../e2e/support/scripted-fetch.ts";

const caught = (work: Promise<unknown>): Promise<KvError> =>
  work.catch((error: unknown) => error as KvError) as Promise<KvError>;

const page = (): Response =>
  new Response("<html>Log in</html>", { headers: { "Content-Type": "text/html", ETag: '"page"' } });

const EXPECTED = { name: "KvError", code: "unexpected_answer", outcomeUnknown: true };

describe("a page that stands in the service's place", () => {
  const calls: Record<string, (kv: Kv) => Promise<unknown>> = {
    get: (kv) => kv.bucket("b").get("a"),
    "get of text": (kv) => kv.bucket("b", { codec: text }).get("a"),
    "get of bytes": (kv) => kv.bucket("b", { codec: bytes }).get("a"),
    entry: (kv) => kv.bucket("b", { codec: text }).entry("a"),
    has: (kv) => kv.bucket("b").has("a"),
    put: (kv) => kv.bucket("b").put("a", 1),
    delete: (kv) => kv.bucket("b").delete("a"),
    increment: (kv) => kv.bucket("b").increment("a"),
    update: (kv) => kv.bucket("b", { codec: text }).update("a", (value) => value),
    list: (kv) => kv.bucket("b").list().next(),
    deleteRange: (kv) => kv.bucket("b").deleteRange({ prefix: "a" }),
    batch: (kv) => kv.bucket("b").batch([{ op: "get", key: "a" }]),
    transaction: (kv) => kv.bucket("b").transaction({}),
    watch: (kv) => kv.bucket("b").watch().next(),
    import: (kv) => kv.bucket("b").import(""),
    export: (kv) => kv.bucket("b").export(),
    create: (kv) => kv.create("b"),
    lookup: (kv) => kv.lookup("b"),
    stop: (kv) => kv.stop("b"),
    exit: (kv) => kv.exit("b", "done"),
    monitor: (kv) => kv.monitor("b").next(),
    buckets: (kv) => kv.buckets().next(),
  };
  it.each(Object.keys(calls))("is not taken for it by %s, and asked once", async (name) => {
    const { asked, kv } = scripted(page(), page());
    expect(await caught(calls[name]?.(kv) ?? Promise.resolve())).toMatchObject(EXPECTED);
    expect(asked).toHaveLength(1);
  });

  it("is not taken for it by a stream that comes back", async () => {
    const put = { key: "a", revision: 1, etag: "i-1", type: "", value: "1" };
    const { kv } = scripted(events(`id: i-1\nevent: put\ndata: ${JSON.stringify(put)}\n\n`), page());
    const changes = kv.bucket("b").watch();
    expect(await changes.next()).toMatchObject({ value: { key: "a" } });
    expect(await caught(changes.next())).toMatchObject(EXPECTED);
  });

  it.each([301, 302, 303, 307])("is not gone to where it is elsewhere: HTTP %d", async (status) => {
    const headers = { Location: "https://kv.test/" };
    const { asked, kv } = scripted(new Response(null, { status, headers }));
    const error = await caught(kv.bucket("b").increment("a"));
    expect(error).toMatchObject({ ...EXPECTED, status });
    expect(error.message).toContain("https://kv.test/");
    expect(asked).toMatchObject([{ init: { redirect: "manual" } }]);
  });

  it("is no empty export where it is empty", async () => {
    const { kv } = scripted(new Response(null, { status: 204 }));
    expect(await caught(kv.bucket("b").export())).toMatchObject({ ...EXPECTED, status: 204 });
  });

  it.each([403, 404, 408])(
    "has its status with it, %d, which says nothing of the service",
    async (status) => {
      const { kv } = scripted(new Response("<html>Not here</html>", { status }));
      expect(await caught(kv.bucket("b").put("a", 1))).toMatchObject({ ...EXPECTED, status });
    },
  );

  it.each([
    ["application/json", { code: "key_not_found", detail: "no route" }],
    ["application/problem+json", { code: "key_not_found" }],
    ["application/problem+json", "key_not_found"],
  ])("is not taken for it where it has errors of its own: %s %j", async (type, body) => {
    const headers = { "Content-Type": type };
    const { kv } = scripted(Response.json(body, { status: 404, headers }));
    expect(await caught(kv.bucket("b").get("a"))).toMatchObject({ ...EXPECTED, status: 404 });
  });
});

describe("JSON that is not the service's", () => {
  const batch = (kv: Kv): Promise<unknown> => kv.bucket("b").batch([{ op: "get", key: "a" }]);
  const results = (...all: readonly unknown[]): unknown => ({ results: all });
  const cases: readonly (readonly [string, (kv: Kv) => Promise<unknown>, unknown])[] = [
    ["no object, for a bucket", (kv) => kv.create("b"), null],
    ["a bucket without a name", (kv) => kv.lookup("b"), {}],
    ["buckets that are none", (kv) => kv.buckets().next(), { buckets: [1] }],
    ["a page without buckets", (kv) => kv.buckets().next(), []],
    ["a count that is none", (kv) => kv.bucket("b").increment("a"), { value: "many", created: true }],
    ["a page without keys", (kv) => kv.bucket("b").list().next(), { keys: {} }],
    ["an entry that is none", (kv) => kv.bucket("b").list().next(), { keys: [null] }],
    ["a number of deletions that is none", (kv) => kv.bucket("b").deleteRange({}), {}],
    ["an import that says nothing", (kv) => kv.bucket("b").import(""), {}],
    ["no results", batch, {}],
    ["fewer results than operations", batch, results()],
    ["more results than operations", batch, results({ op: "get", key: "a", found: false }, {})],
    ["a result that is none", batch, results(null)],
    ["a result of no operation", batch, results({ op: "constructor", key: "a" })],
    ["a result without what it says", batch, results({ op: "get", key: "a", found: true })],
    ["an error that is none", batch, results({ op: "get", key: "a", error: "none" })],
    [
      "another operation's result",
      (kv) => kv.bucket("b").delete("a"),
      results({ op: "get", key: "a", found: false }),
    ],
    ["a transaction that neither succeeded nor not", (kv) => kv.bucket("b").transaction({}), results()],
  ];
  it.each(cases)("is %s", async (_, call, json) => {
    expect(await caught(call(scripted(Response.json(json)).kv))).toMatchObject(EXPECTED);
  });

  it.each([
    ["put", "<html>"],
    ["put", "null"],
    ["put", "{}"],
    ["delete", '{"key":"a"}'],
    ["end_of_snapshot", "{}"],
    ["dropped", "{}"],
    ["DOWN", "[]"],
  ])("is of a watch's %s: %s", async (event, data) => {
    const { kv } = scripted(events(`event: ${event}\ndata: ${data}\n\n`));
    expect(await caught(kv.bucket("b").watch().next())).toMatchObject(EXPECTED);
  });

  it("is of a monitor", async () => {
    const { kv } = scripted(events("event: DOWN\ndata: 1\n\n"));
    expect(await caught(kv.monitor("b").next())).toMatchObject(EXPECTED);
  });

  it("is a value's metadata", async () => {
    const headers = { ETag: '"i-1"', "KV-Revision": "1", "KV-Metadata": "{" };
    expect(await caught(scripted(Response.json(1, { headers })).kv.bucket("b").get("a"))).toMatchObject(
      EXPECTED,
    );
  });
});

/** A WebSocket that says the same to whatever it is sent. */
function saying(answer: string) {
  const opened: EventTarget[] = [];
  class Foreign extends EventTarget {
    constructor() {
      super();
      opened.push(this);
      queueMicrotask(() => this.dispatchEvent(new Event("open")));
    }
    send(): void {
      queueMicrotask(() => this.dispatchEvent(new MessageEvent("message", { data: answer })));
    }
    close(): void {
      this.dispatchEvent(new Event("close"));
    }
  }
  const kv = new Kv({ url: "http://kv.test", WebSocket: Foreign as unknown as typeof WebSocket });
  return { opened, session: kv.bucket<Record<string, number>>("b").session() };
}

describe("a message on a session that is not the service's", () => {
  it.each([
    "Welcome!",
    "",
    "null",
    "{}",
    "[null]",
    '[{"id":1}]',
    '[{"id":null,"ok":1}]',
    '[{"id":1,"error":{}}]',
  ])("ends the connection, and what was sent on it is unknown: %s", async (answer) => {
    const { opened, session } = saying(answer);
    const both = [session.bucket.put("a", 1), session.bucket.put("b", 1)];
    for (const work of both) expect(await caught(work)).toMatchObject(EXPECTED);
    expect(await caught(session.bucket.put("c", 1))).toMatchObject(EXPECTED);
    expect(opened).toHaveLength(2);
    session.close();
  });

  it("is one whose answer has another shape", async () => {
    const { session } = saying('[{"id":1,"ok":{}}]');
    expect(await caught(session.bucket.put("a", 1))).toMatchObject(EXPECTED);
    session.close();
  });
});
