/** Many buckets, ended in every way, while the registry is restarted at random. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, expect, inject, it, vi } from "vitest";
import { call } from "../../src/otp/call.ts";
import type { Exit } from "../../src/otp/exit.ts";
import type { RegistryEvent } from "../../src/model/registry-event.ts";
import { Events } from "../../src/registry/events.ts";
import { partitionStub } from "../../src/rpc/partition-stub.ts";
import { exitBucket, isolate, PARTITIONS } from "../support/directories.ts";
import {
  abortObject,
  bucketOf,
  bucketState,
  bucketsSince,
  registryOf,
  runAlarms,
  wipeBehind,
} from "../support/faults.ts";

const BUCKETS = inject("sizes").ends;
const AT_ONCE = 20;
/** One in so many ends meets a registry that is being restarted. */
const RESTART_ODDS = 10;

interface End {
  readonly reason: string;
  readonly run: (name: string, id: string) => Promise<unknown>;
}

const { directory } = isolate();

const ends: readonly End[] = [
  { reason: "normal", run: (name) => directory.stop(name) },
  { reason: "shutdown", run: (name) => exitBucket(directory, name, "shutdown") },
  { reason: "killed", run: (name) => exitBucket(directory, name, "kill") },
  { reason: "out of stock", run: (name) => exitBucket(directory, name, "out of stock") },
  {
    reason: "crash: out of cheese",
    run: async (_, id) => {
      await call(() => bucketOf(id).crash("out of cheese")).catch((error: unknown) => {
        const { reason } = error as Exit;
        if (typeof reason !== "object" && reason !== "noproc") throw error;
      });
    },
  },
  { reason: "noproc", run: (_, id) => wipeBehind(id) },
];

// What is made to fail is logged by those who meet it.
beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));

it(
  `invariant 5: DOWN arrives, exactly once for each of ${BUCKETS} incarnations, with its reason`,
  { timeout: 180_000 },
  async () => {
    const seed = inject("seed");
    console.log(`down: ${BUCKETS} buckets, KV_TEST_SEED=${seed}`);
    const [choices] = fc.sample(
      fc.array(fc.tuple(fc.constantFrom(...ends), fc.nat({ max: RESTART_ODDS - 1 })), {
        minLength: BUCKETS,
        maxLength: BUCKETS,
      }),
      { seed, numRuns: 1 },
    ) as [[End, number][]];
    // A follower from outside, through all those restarts.
    const followed: RegistryEvent[] = [];
    const followers = directory.followers(() => ({
      events: (events) => void followed.push(...events),
      lost: () => expect.unreachable("the log reaches back far enough"),
    }));
    await Promise.all(followers.map((follower) => follower.start()));
    const wanted = new Map<string, string>();
    const names = choices.map((_, at) => `bucket-${at}`);
    for (let from = 0; from < BUCKETS; from += AT_ONCE) {
      const some = names.slice(from, from + AT_ONCE);
      await Promise.all(
        some.map(async (name, at) => {
          const { registration } = await directory.create(name, { restart: "temporary" });
          const [end, dice] = choices[from + at] as [End, number];
          wanted.set(registration.incarnation, end.reason);
          const restarts = dice === 0 ? abortObject(registryOf(name)) : undefined;
          await untilKnown(() => end.run(name, registration.id));
          await restarts;
        }),
      );
    }
    await runAlarms(names, bucketsSince(new Set()), [400_000, 4_000_000]);

    const heard = (
      await Promise.all(
        Array.from({ length: PARTITIONS }, (_, partition) =>
          runInDurableObject(partitionStub(env.REGISTRY, partition), (__, { storage }): RegistryEvent[] =>
            new Events(storage.sql, 1).after(0, 10_000),
          ),
        ),
      )
    )
      .flat()
      .filter(({ kind }) => kind === "DOWN");
    await expect
      .poll(() => followed.filter(({ kind }) => kind === "DOWN").length, { timeout: 20_000 })
      .toBe(BUCKETS);
    expect(
      new Set(followed.filter(({ kind }) => kind === "DOWN").map(({ incarnation }) => incarnation)),
    ).toEqual(new Set(wanted.keys()));
    for (const follower of followers) follower.close();
    const reasons = new Map(heard.map(({ incarnation, reason }) => [incarnation, reason]));
    const missing = [...wanted.keys()].filter((incarnation) => !reasons.has(incarnation));
    expect(missing, "none missing").toEqual([]);
    expect(heard.length, "each once").toBe(BUCKETS);
    const wrong = [...wanted].filter(([incarnation, reason]) => reasons.get(incarnation) !== reason);
    expect(wrong, "reasons right").toEqual([]);
    const states = await Promise.all(bucketsSince(new Set()).map(bucketState));
    expect(states.filter(({ kept }) => kept > 0)).toEqual([]);
  },
);

/** As a client does it that was told that the outcome is unknown: once more, and the alarms do the rest. */
async function untilKnown(end: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      await end();
      return;
    } catch {
      // The registry was just restarting.
    }
  }
}
