/** Power cuts: what was acknowledged is on every disk that a cut may leave, and nothing is there by half. */

import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { temporaryFolder } from "../e2e/support/server.ts";
import type { Recorded } from "./recording.ts";
import { checkDisks, recordLives, reportOf, summaryOf, type Summary } from "./run.ts";

const DISKS = inject("sizes").disks;
const seed = inject("seed");
/** Tracing is for Linux, and a container may forbid it. */
const canTrace = DISKS > 0 && spawnSync("strace", ["-f", "--seccomp-bpf", "-yy", "true"]).status === 0;
/** A server is started on each fourth disk; SQLite itself reads the others, which takes a tenth of the time. */
const SERVER_EVERY = 4;
/** Disks for each fault. */
const FAULTY = 16;
const MANY = 100;

const folder = temporaryFolder();
afterAll(() => folder.remove());

describe.skipIf(!canTrace)("power cut", () => {
  let recorded: Recorded;
  beforeAll(async () => {
    recorded = await recordLives(seed, folder.path, DISKS > MANY ? "long" : "short");
  }, 120_000);

  it(
    `leaves no acknowledged write lost, and nothing half done, on ${DISKS} disks`,
    async () => {
      const started = performance.now();
      const summary = await checkDisks(recorded, { seed, disks: DISKS, serverEvery: SERVER_EVERY });
      console.log(summaryOf(summary, (performance.now() - started) / 1_000));
      expect(summary.failures.map(reportOf)).toEqual([]);
    },
    60_000 + DISKS * 3_000,
  );

  it("is found to lose writes where a file's newest sync has done nothing", async () => {
    const plan = { seed, disks: FAULTY, serverEvery: Infinity, fault: "sync ignored" } as const;
    // With other writers at work, the newest sync may belong to a write that is not acknowledged: four of ten times.
    expect(found(await checkDisks(recorded, plan), "lost")).toBeGreaterThan(1);
  });

  it("is found to leave something half done where half of a transaction is on the disk", async () => {
    const plan = { seed, disks: FAULTY, serverEvery: Infinity, fault: "half a transaction" } as const;
    expect(found(await checkDisks(recorded, plan), "half done")).toBe(FAULTY);
  });
});

function found({ failures }: Summary, kind: string): number {
  return failures.filter(({ verdicts }) => verdicts.some((verdict) => verdict.kind === kind)).length;
}
