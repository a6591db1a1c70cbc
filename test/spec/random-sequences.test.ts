/** The registry and its buckets against a plain model, in random sequences of commands. */

import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { PARTITIONS } from "../support/directories.ts";
import { seeded, type SeededBug } from "../support/objects.ts";
import { sequences } from "../support/model/sequences.ts";

const { sequences: runs, minutes, bugSeed } = inject("sizes");
const seed = inject("seed");

// What is made to fail is logged by those who meet it.
beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));

describe(`invariants 1 to 6, ${PARTITIONS} ${PARTITIONS === 1 ? "partition" : "partitions"}`, () => {
  it(`hold over ${runs} sequences`, { timeout: (minutes ?? 5) * 60_000 + 60_000 }, async () => {
    console.log(`model: ${runs} sequences, KV_TEST_SEED=${seed}`);
    const details = await fc.check(sequences("model", 20), {
      numRuns: runs,
      seed,
      ...(minutes === undefined ? {} : { interruptAfterTimeLimit: minutes * 60_000 }),
    });
    console.log(`model: ${details.numRuns} sequences run`);
    if (minutes === undefined && !details.failed) expect(details.numRuns).toBe(runs);
    if (details.failed) console.log(details.errorInstance);
    expect(details.failed, fc.defaultReportMessage(details) ?? "").toBe(false);
  });
});

describe("a registry with a bug is caught", () => {
  const bugs: readonly SeededBug[] = [
    "down without incarnation check",
    "freed before the wipe",
    "create without re-check",
  ];
  afterEach(() => {
    seeded.bug = undefined;
  });

  it.each(bugs)("%s", { timeout: 120_000 }, async (bug) => {
    seeded.bug = bug;
    const details = await fc.check(sequences("bug", 40), {
      numRuns: 1_000,
      seed: bugSeed ?? seed,
      endOnFailure: true,
      unbiased: true,
    });
    console.log(`${bug}: caught after ${details.numRuns} sequences, KV_TEST_SEED=${bugSeed ?? seed}`);
    expect(details.failed).toBe(true);
  });
});
