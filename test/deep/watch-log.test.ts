/** Watches against the change log, through breaks, resets and evictions. */

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, inject, it } from "vitest";
import type { Bucket } from "../../src/bucket/bucket.ts";
import type { WatchEvent } from "../../src/bucket/watch-view.ts";
import { call } from "../../src/otp/call.ts";
import { ChangeLog } from "../../src/store/change-log.ts";
import { startBucket } from "../support/buckets.ts";
import { abortObject } from "../support/faults.ts";
import { watches } from "../support/watch.ts";

const put = (bucket: DurableObjectStub<Bucket>, key: string, value = "1") =>
  call(() => bucket.put(key, value));
const changes = (events: readonly WatchEvent[]) =>
  events.filter(({ event }) => ["put", "delete", "expired"].includes(event));

/** As the machine's end would: the object that comes next finds what was on disk. */
async function reborn(bucket: DurableObjectStub<Bucket>): Promise<DurableObjectStub<Bucket>> {
  await abortObject(env.BUCKET.get(bucket.id));
  return env.BUCKET.get(bucket.id);
}

describe("what watchers hear", () => {
  it("is the log: every change once, in order, through breaks, resets and evictions", async () => {
    const name = fc.constantFrom("a", "b", "ab");
    const step = fc.oneof(
      fc.record({ kind: fc.constant("put" as const), name }),
      fc.record({ kind: fc.constant("remove" as const), name }),
      fc.record({ kind: fc.constant("reset" as const) }),
      fc.record({ kind: fc.constant("evict" as const) }),
      fc.record({ kind: fc.constant("reconnect" as const) }),
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        let bucket = await startBucket(`watch log ${(run += 1)}`);
        let watcher = await watches(bucket);
        const heard: WatchEvent[] = [];
        const resume = async (): Promise<void> => {
          heard.push(...changes(watcher.events));
          const revision = Number(heard.at(-1)?.["revision"] ?? 0);
          watcher = await watches(bucket, { since: { revision } });
        };
        for (const next of steps) {
          if (next.kind === "put") await put(bucket, next.name, String(Math.random()));
          else if (next.kind === "remove") await call(() => bucket.remove(next.name, {}));
          else if (next.kind === "evict") {
            // One that is asleep already can't be put to sleep.
            await evictDurableObject(bucket).catch(() => undefined);
            bucket = env.BUCKET.get(bucket.id);
          } else if (next.kind === "reconnect") {
            watcher.close();
            await resume();
          } else {
            bucket = await reborn(bucket);
            await watcher.closed;
            await resume();
          }
        }
        await put(bucket, "end");
        const { revision } = await call(() => bucket.totals());
        while (heard.length + changes(watcher.events).length < revision)
          await watcher.until(watcher.events.length + 1);
        heard.push(...changes(watcher.events));
        watcher.close();
        expect(heard.map((event) => event["revision"])).toEqual(
          Array.from({ length: revision }, (_, n) => n + 1),
        );
        const kept = await runInDurableObject(bucket, (_, { storage }) =>
          new ChangeLog(storage.sql, { limit: Infinity, maxAgeMs: Infinity }).after(0),
        );
        expect(heard.map(({ event, key, value }) => [event, key, value ?? null])).toEqual(
          kept.map(({ kind, key, value }) => [kind, key, value]),
        );
      }),
      { numRuns: inject("sizes").watchLogs, seed: inject("seed") },
    );
  });
});
