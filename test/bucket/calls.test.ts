/** Calls that reach a bucket in one group. */

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { call } from "../../src/otp/call.ts";
import type { BucketCall, GroupReply } from "../../src/rpc/bucket-calls.ts";
import type { BucketCommand } from "../../src/text/command.ts";
import { startBucket } from "../support/buckets.ts";
import { watches } from "../support/watch.ts";

const MIB = 1_048_576;

describe("a group of calls", () => {
  it("is done in order, and a refused call does not affect the others", async () => {
    const bucket = await startBucket("group order", "cafe");
    const replies = await call<GroupReply>(() =>
      bucket.group([
        ["put", "a", "1"],
        ["put", "a", "2", { conditions: { ifNoneMatch: "*" } }],
        ["get", "a", {}],
        ["increment", "n", { by: 2n }],
        ["remove", "a", {}],
        ["increment", "text", { by: 1n }],
        ["put", "text", "no number"],
        ["increment", "text", { by: 1n }],
        ["run", [{ verb: "INCR", bucket: "", key: "n", by: 5n }]],
        ["getAndDelete", "n", {}],
        ["info", "n", {}],
      ]),
    );
    expect(replies).toMatchObject([
      { reply: { created: true, revision: 1, etag: "cafe-1" } },
      { refusal: { code: "precondition_failed" } },
      { reply: { outcome: "found", entry: { value: "1" } } },
      { reply: { replayed: false } },
      { reply: true },
      { reply: { replayed: false } },
      { reply: { created: false } },
      { refusal: { code: "not_an_integer" } },
      { reply: [{ kind: "value", value: "7" }] },
      { reply: { outcome: "found", entry: { value: "7" } } },
      { reply: { outcome: "absent" } },
    ]);
    expect(await call(() => bucket.totals())).toMatchObject({ entries: 1, bytes: 13, revision: 7 });
  });

  it("is one record of the log, and watchers hear each change under its own revision", async () => {
    const bucket = await startBucket("group record", "cafe");
    const watcher = await watches(bucket, { prefix: "" });
    await call(() =>
      bucket.group(Array.from({ length: 20 }, (_, n) => ["put", `k${n}`, String(n)] as const)),
    );
    const events = await watcher.until(21);
    expect(events.slice(1).map(({ id, value }) => [id, value])).toEqual(
      Array.from({ length: 20 }, (_, n) => [`cafe-${n + 1}`, String(n)]),
    );
    const records = await runInDurableObject(bucket, (_, { storage }) =>
      storage.sql.exec("SELECT revision FROM log").toArray(),
    );
    expect(records).toEqual([{ revision: 20 }]);
    const late = await watches(bucket, { prefix: "", since: { revision: 17 } });
    expect((await late.until(4)).slice(1).map(({ id }) => id)).toEqual(["cafe-18", "cafe-19", "cafe-20"]);
  });

  it("has no more replies than fit a message: the other calls are not run", async () => {
    const bucket = await startBucket("group room");
    await call(() => bucket.put("big", "x".repeat(MIB)));
    const replies = await call<GroupReply>(() =>
      bucket.group([...Array.from({ length: 10 }, () => ["get", "big", {}] as const), ["put", "after", "1"]]),
    );
    expect(replies.length).toBe(5);
    expect(await call(() => bucket.get("after", {}))).toEqual({ outcome: "absent" });
  });

  it("remembers the result of an idempotent call as it does of one that comes alone", async () => {
    const bucket = await startBucket("group remembers");
    const increment = ["increment", "n", { by: 1n }, { idempotency: { key: "a", fingerprint: "" } }] as const;
    const replies = await call(() => bucket.group([increment, increment]));
    expect(replies).toMatchObject([{ reply: { replayed: false } }, { reply: { replayed: true } }]);
    expect(await call(() => bucket.group([increment]))).toMatchObject([{ reply: { replayed: true } }]);
    expect(await call(() => bucket.get("n", {}))).toMatchObject({ entry: { value: "1" } });
  });

  it("fails for nobody else's fault: where one call throws, nothing is done, and each is to go alone", async () => {
    const bucket = await startBucket("group of one that throws");
    await call(() => bucket.put("a", "1"));
    await runInDurableObject(bucket, (_, { storage }) => diskIsFull(storage.sql));
    for (const calls of [
      [
        ["get", "a", {}],
        ["put", "b", "1"],
        ["get", "a", {}],
      ],
      [
        ["remove", "a", {}],
        ["put", "b", "1"],
      ],
    ] satisfies BucketCall[][]) {
      expect(await call(() => bucket.group(calls))).toEqual([]);
    }
    expect(await call(() => bucket.get("a", {}))).toMatchObject({ entry: { value: "1" } });
    expect(await call(() => bucket.totals())).toMatchObject({ entries: 1, revision: 1 });
    await expect(call(() => bucket.group([["put", "b", "1"]]))).rejects.toThrow("SQLITE_FULL");
    // What makes room is done.
    expect(await call(() => bucket.group([["remove", "a", {}]]))).toEqual([{ reply: true }]);
  });

  it("lists no more names than are enough for one call", async () => {
    const bucket = await startBucket("group names");
    const keys = Array.from({ length: 1_000 }, (_, n) => ["put", `k${n}`, ""] as const);
    await call(() => bucket.group(keys));
    const lists = Array.from({ length: 20 }, (): BucketCommand => ({
      verb: "KEYS",
      bucket: "",
      prefix: "",
      after: "",
    }));
    const [listed] = await call<GroupReply>(() => bucket.group([["run", lists]]));
    expect((listed as { readonly reply: unknown[] }).reply.length).toBe(3);
    const each = await call<GroupReply>(() => bucket.group(lists.map((one) => ["run", [one]] as const)));
    expect(each.length).toBe(3);
  });
});

/** Inserts of entries fail from now on; reads and deletes do not. */
function diskIsFull(sql: SqlStorage): void {
  const exec = sql.exec.bind(sql);
  sql.exec = (text: string, ...bindings: unknown[]) => {
    if (text.startsWith("INSERT OR REPLACE INTO entries")) {
      throw new Error("database or disk is full: SQLITE_FULL");
    }
    return exec(text, ...bindings);
  };
}
