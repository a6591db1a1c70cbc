/** Which calls the client repeats by itself, and how often. */

import { describe, expect, it } from "vitest";
import { ConnectionError, InvalidRequestError, type Kv, type KvError } from "../../src/client/index.ts";
import { problem, scripted, value } from "../e2e/support/scripted-fetch.ts";

describe("trying again", () => {
  it("is for what may be repeated: reads, creates, and calls with an idempotency key", async () => {
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

  it("is not for a write: between two tries another client may have written", async () => {
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

  it("ends after a few attempts, and at once if it would not help", async () => {
    const broken = scripted("break", "break", "break", "break", "break");
    await expect(broken.kv.bucket("b").get("a")).rejects.toBeInstanceOf(ConnectionError);
    expect(broken.asked).toHaveLength(4);
    const wrong = scripted(problem(400, "key_invalid"), value(1));
    await expect(wrong.kv.bucket("b").get("a")).rejects.toBeInstanceOf(InvalidRequestError);
    expect(wrong.asked).toHaveLength(1);
  });

  it("does not hide the answer of a proxy", async () => {
    const { kv: behindProxy } = scripted(new Response("<html>Bad gateway", { status: 502 }));
    await expect(behindProxy.bucket("b").put("a", 1)).rejects.toMatchObject({
      code: "unexpected_answer",
      status: 502,
    });
  });
});
