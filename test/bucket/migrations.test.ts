/** A bucket's data of earlier versions. */

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call } from "../../src/otp/call.ts";

describe("a bucket from before times to live and change logs", () => {
  it("is brought up to date when it wakes, with its entries, totals and revision", async () => {
    const { id } = env.BUCKET.get(env.BUCKET.newUniqueId());
    await runInDurableObject(env.BUCKET.get(id), (_, { storage }) => {
      const args = { name: "old", incarnation: "aaaa", createdAt: 1 };
      storage.kv.put("process", { args, restart: "temporary", restarts: 0, recent: [] });
      storage.sql.exec(`
        CREATE TABLE entries (
          key TEXT PRIMARY KEY, value NOT NULL, type TEXT, revision INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE totals (entries INTEGER NOT NULL, bytes INTEGER NOT NULL, revision INTEGER NOT NULL);
        INSERT INTO totals VALUES (1, 5, 7);
        INSERT INTO entries VALUES ('milk', '1', NULL, 7)`);
    });
    await evictDurableObject(env.BUCKET.get(id));
    const again = env.BUCKET.get(id);
    expect(await call(() => again.get("milk", {}))).toMatchObject({
      entry: { value: "1", revision: 7, expires: null },
    });
    expect(await call(() => again.put("eggs", "2", { lifetime: { ttl: 60 } }))).toMatchObject({
      revision: 8,
    });
    expect(await call(() => again.totals())).toMatchObject({ entries: 2, bytes: 10, revision: 8 });
    expect(
      await call(() => again.increment("n", { by: 1n }, { idempotency: { key: "a", fingerprint: "" } })),
    ).toMatchObject({ replayed: false });
  });
});
