/** The registry and its buckets against a plain model, in sequences of commands that nobody thought of. */

import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { PARTITIONS } from "../support/directories.ts";
import { sequences } from "../support/model.ts";

const RUNS = Number(env.KV_TEST_RUNS);
const MINUTES = Number(env.KV_TEST_MINUTES);
const SEED = env.KV_TEST_SEED === "" ? Date.now() & 0x7fffffff : Number(env.KV_TEST_SEED);

// What is made to fail is logged by those who meet it.
beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));

describe(`invariants 1 to 6, ${PARTITIONS} ${PARTITIONS === 1 ? "partition" : "partitions"}`, () => {
  it(`hold over ${RUNS} sequences`, { timeout: MINUTES * 60_000 + 60_000 }, async () => {
    console.log(`model: ${RUNS} sequences, KV_TEST_SEED=${SEED}`);
    const details = await fc.check(sequences("model"), {
      numRuns: RUNS,
      seed: SEED,
      interruptAfterTimeLimit: MINUTES * 60_000,
      markInterruptAsFailure: false,
    });
    console.log(`model: ${details.numRuns} sequences run`);
    if (details.failed) console.log(details.errorInstance);
    expect(details.failed, fc.defaultReportMessage(details) ?? "").toBe(false);
  });
});
