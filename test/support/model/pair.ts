/** Two calls about one name at the same time, and what may be found afterwards. */

import { expect } from "vitest";
import type { Registration } from "../../../src/model/registration.ts";
import { Exit } from "../../../src/otp/exit.ts";
import { ask, exitBucket } from "../directories.ts";
import { rowOf } from "../faults.ts";
import {
  differently,
  directoryOf,
  end,
  isHalfStopped,
  type Model,
  type ModelBucket,
  passWindow,
  type Real,
} from "./model.ts";

const READ_ATTEMPTS = 3;

export const CONCURRENT = ["create", "stop", "shutdown", "put"] as const;

type Concurrent = (typeof CONCURRENT)[number];

/** What came of one of two. */
interface Outcome {
  readonly what: Concurrent;
  readonly created?: boolean;
  readonly registration?: Registration;
  /** What a stop or an exit has said. */
  readonly said?: boolean;
  readonly put?: unknown;
  readonly unknown?: unknown;
  readonly refused?: unknown;
}

/** Two at once: whichever came first, what is found afterwards has to be what one of the orders gives. */
export async function pair(
  model: Model,
  real: Real,
  name: string,
  both: readonly [Concurrent, Concurrent],
): Promise<void> {
  if (isHalfStopped(model, name)) return;
  passWindow();
  const before = model.buckets.get(name);
  const results = await Promise.all(
    both.map(async (what, caller): Promise<Outcome> => {
      const directory = directoryOf(real, caller);
      try {
        switch (what) {
          case "create":
            return { what, ...(await directory.create(name, { restart: "temporary" })) };
          case "stop":
            return { what, said: await directory.stop(name) };
          case "shutdown":
            return { what, said: await exitBucket(directory, name, "shutdown") };
          case "put":
            return {
              what,
              put: await ask(directory, name, (bucket) => bucket.put("milk", `by ${caller}`)),
            };
        }
      } catch (error) {
        // The bucket was restarting, or ended under the call: the outcome is unknown, and said to be.
        if (error instanceof Exit) return { what, unknown: error.reason };
        return { what, refused: differently(error) };
      }
    }),
  );
  const row = await rowOf(name);
  const created = results.filter((result) => result.created === true);
  // 2: at most one of two creates makes a bucket, unless something has ended the first one.
  if (both.every((what) => what === "create")) {
    expect(created.length).toBeLessThanOrEqual(1);
    expect(new Set(results.map(({ registration }) => registration?.incarnation)).size).toBe(1);
  }
  const reasons = ["normal", "shutdown", ...(before?.unacked === undefined ? [] : [before.unacked])];
  for (const { registration } of created) {
    if (registration !== undefined && registration.incarnation !== row?.incarnation) {
      model.ended.set(registration.incarnation, { name, reasons });
    }
  }
  if (before !== undefined && before.incarnation !== row?.incarnation) end(model, name, ...reasons);
  const stopped = results.some(({ what, said }) => what === "stop" && said === true);
  if (stopped && before !== undefined && created.length === 0)
    expect(row?.incarnation).not.toBe(before.incarnation);
  if (row === undefined) return;
  const kept = row.incarnation === before?.incarnation;
  if (!kept) {
    expect(created.map(({ registration }) => registration?.incarnation)).toContain(row.incarnation);
    model.buckets.set(name, {
      incarnation: row.incarnation,
      id: row.id,
      restart: row.restart,
      entries: new Map(),
    });
  }
  // A stop whose object was just being reset: its outcome was said to be unknown.
  if (row.state === "stopping") {
    (model.buckets.get(name) as ModelBucket).halfStopped = [...reasons];
    return;
  }
  await readBack(model, real, name, both, results, kept);
}

/** A put at the same time may have been before or behind the other one; an acknowledged one to who lives is kept. */
async function readBack(
  model: Model,
  real: Real,
  name: string,
  both: readonly string[],
  results: readonly Outcome[],
  kept: boolean,
): Promise<void> {
  const bucket = model.buckets.get(name) as ModelBucket;
  if (bucket.unacked !== undefined) return;
  const found = await again(() => ask(directoryOf(real, 0), name, (stub) => stub.get("milk", {})));
  const value = found?.outcome === "found" ? (found.entry.value as string) : undefined;
  const old = bucket.entries.get("milk");
  const puts = both.flatMap((what, caller) => (what === "put" ? [`by ${caller}`] : []));
  expect([old, ...puts], "milk").toContain(value);
  if (kept && puts.length > 0 && results.every(({ put }) => put !== undefined)) expect(puts).toContain(value);
  if (value !== undefined) bucket.entries.set("milk", value);
}

async function again<T>(request: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof Exit) || attempt === READ_ATTEMPTS) throw error;
    }
  }
}
