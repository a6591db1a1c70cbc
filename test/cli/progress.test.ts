/** The line of progress of an import or export. */

import { describe, expect, it } from "vitest";
import { progressLine } from "../../src/cli/progress.ts";

describe("a line of progress", () => {
  it("has a bar, a rate and the time left where the total is known", () => {
    expect(progressLine({ unit: "entries", done: 1_000, total: 4_000, elapsedMs: 2_000 })).toBe(
      "[#####               ]  25 %  1,000 of 4,000 entries  500/s  0:06 left",
    );
  });

  it("has none of these where it is not", () => {
    expect(progressLine({ unit: "entries", done: 1_000, total: undefined, elapsedMs: 2_000 })).toBe(
      "1,000 entries  500/s",
    );
  });

  it("counts bytes as people do", () => {
    const done = 3 * 1_048_576;
    expect(progressLine({ unit: "bytes", done, total: 4 * done, elapsedMs: 1_000 })).toBe(
      "[#####               ]  25 %  3.0 MiB of 12.0 MiB  3.0 MiB/s  0:03 left",
    );
  });

  it("names hours, and stops at all of it", () => {
    expect(progressLine({ unit: "buckets", done: 1, total: 7_200, elapsedMs: 1_000 })).toMatch(
      /1\/s {2}1:59:59 left$/,
    );
    expect(progressLine({ unit: "buckets", done: 12, total: 10, elapsedMs: 1_000 })).toBe(
      "[####################] 100 %  12 of 10 buckets  12/s",
    );
  });
});
