/** Answers that break off, are not JSON, or are not what the codec expects. */

import { describe, expect, it } from "vitest";
import { ConnectionError, DecodeError, text } from "../../src/client/index.ts";
import { scripted, value } from "../e2e/support/scripted-fetch.ts";
import { bucketOf, kv } from "./support/shared-kv.ts";

describe("an answer that can't be read", () => {
  it("is a connection error if it breaks off, and is asked for again where that is safe", async () => {
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

  it("is an error for the reader of an export if it breaks off", async () => {
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

  it("is unexpected if it is not the service's, and a put is not taken to be done", async () => {
    const { kv: client } = scripted(new Response("<html>Log in</html>"));
    const error = await client
      .bucket("b")
      .put("a", 1)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "unexpected_answer", outcomeUnknown: true });
  });

  it("is unexpected if it is not JSON", async () => {
    const { kv: odd } = scripted(new Response("<html>"));
    await expect(odd.lookup("b")).rejects.toMatchObject({ code: "unexpected_answer" });
  });

  it("is an error of one value, and not of the others, if the codec can't decode it", async () => {
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

  it("does not stop a watch or a list, which can go on after it", async () => {
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
