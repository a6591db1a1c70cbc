/** A short torture (`npm run torture` is the long one), and builds with a bug, which it has to catch. */

import { describe, expect, inject, it } from "vitest";
import { temporaryFolder } from "../e2e/support/server.ts";
import type { Broken } from "./broken.ts";
import { FAULTS } from "./faults/faults.ts";
import { inLines } from "./report.ts";
import { buildAll } from "./server/build.ts";
import { type Report, torture } from "./torture.ts";

const { tortureSeconds, brokenBuilds } = inject("sizes");
const SEED = inject("seed");
/** A broken build has to be caught within two minutes, the search for its last violations included. */
const CAUGHT_WITHIN_S = 90;

/** Bugs, and what the torture has to say of them. */
const BUGS: readonly (readonly [Broken, RegExp])[] = [
  ["mixed answers", /illegal|is read/],
  ["early ack", /illegal/],
  ["stale id", /found after its end/],
  ["forgotten DOWN", /no DOWN of/],
  ["lost change", /heard of revision/],
];

async function run(seconds: number, broken?: Broken): Promise<Report> {
  const folder = temporaryFolder();
  try {
    const built = await buildAll(folder.path, broken);
    return await torture({ built, seconds, seed: SEED, faults: FAULTS, first: broken !== undefined });
  } finally {
    await folder.remove();
  }
}

describe("a server under faults", { timeout: 900_000 }, () => {
  it.runIf(tortureSeconds > 0)(`keeps its promises for ${tortureSeconds} s (seed ${SEED})`, async () => {
    const report = await run(tortureSeconds);
    const text = inLines(report, SEED);
    console.log(text);
    expect(report.violations, text).toEqual([]);
    expect([report.illegal, report.lost]).toEqual([0, 0]);
    expect(report.acknowledgedWrites).toBeGreaterThan(0);
    expect(report.histories).toBeGreaterThan(0);
    expect(report.undecided).toBeLessThanOrEqual(Math.max(1, report.histories / 100));
    expect(report.faults.get("kill -9")).toBeGreaterThan(0);
  });

  it.each(BUGS.slice(0, brokenBuilds))("is caught if it is built with the bug: %s", async (broken, shows) => {
    // The end of a bucket is looked for in the log when the faults are over.
    const report = await run(broken === "forgotten DOWN" ? 10 : CAUGHT_WITHIN_S, broken);
    expect(
      report.violations.some((violation) => shows.test(violation)),
      report.violations.join("\n"),
    ).toBe(true);
    console.log(`${broken}: ${report.seconds} s\n${inLines(report, SEED)}`);
  });
});
