/**
 * A second model of the registry's protocol, in the language of the model checker Spin (registry.pml). It agrees with the
 * first one, which is the code itself: the invariants hold, and the same bugs violate them. It needs `spin` and a C
 * compiler (Debian: `apt-get install spin gcc`), and is left out where they are not.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, inject, it } from "vitest";

const MODEL = resolve("test/registry/explore/registry.pml");
const isInstalled = (program: string, option: string): boolean =>
  spawnSync(program, [option]).error === undefined;
const isLarge = inject("sizes").explored === "large" && isInstalled("spin", "-V") && isInstalled("cc", "-v");

interface Checked {
  readonly states: number;
  /** The assertion that does not hold, as the model writes it. */
  readonly violation?: string | undefined;
}

/** Explores the model under these definitions. */
function check(definitions: Readonly<Record<string, number>>): Checked {
  const folder = mkdtempSync(join(tmpdir(), "spin-"));
  const run = (program: string, ...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: "utf8" });
    if (status !== 0) throw new Error(`${program} ${args.join(" ")}\n${stdout}${stderr}`);
    return stdout;
  };
  try {
    run("spin", "-a", ...Object.entries(definitions).map(([name, value]) => `-D${name}=${value}`), MODEL);
    run("cc", "-O1", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c");
    const printed = run("./pan", "-m200000");
    // A search that was given up says nothing.
    expect(printed).not.toMatch(/max search depth too small|out of memory/);
    return {
      states: Number(/(\d+) states, stored/.exec(printed)?.[1]),
      violation: /assertion violated (.*) \(at depth/.exec(printed)?.[1],
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const DEEPER = { OPERATIONS: 4, CRASHES: 2 };

describe.runIf(isLarge)("Spin's model of the protocol", { timeout: 300_000 }, () => {
  it.each([
    {},
    { RESENDS: 1 },
    { LOST_ALARMS: 1 },
    { EXITS: 2 },
    { RESENDS: 1, LOST_ALARMS: 1 },
    { LOST_ALARMS: 1, ...DEEPER },
  ])("keeps the invariants in every interleaving (%o)", (bounds) => {
    const { states, violation } = check(bounds);
    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(10_000);
    console.log(`spin: ${states} states; ${JSON.stringify(bounds)}`);
  });

  it.each<[string, Readonly<Record<string, number>>, string]>([
    ["a create takes over another's cut-off start", { BUG_OWN: 1, EXITS: 0 }, "wants"],
    ["the alarm finishes a create that was cut off", { BUG_UNDO: 1 }, "absent"],
    ["a lookup does not wait behind a create", { BUG_QUEUE: 1 }, "absent"],
    ["the check is not written with the row", { BUG_ARM: 1 }, "alarm"],
    ["a lost alarm is not set again", { BUG_REARM: 1, LOST_ALARMS: 1 }, "alarm"],
    ["an object does not remember its end", { BUG_MARK: 1, RESENDS: 1 }, "object"],
    ["a stop does not mark the row before the object is asked", { BUG_UNMARKED: 1 }, "object"],
    ["a stop frees the name before the object is wiped", { BUG_FREED_EARLY: 1 }, "mayEnd"],
    [
      "a bucket that asks while it is being created is told that it has no name",
      { BUG_EARLY_NO: 1 },
      "object",
    ],
    [
      "a bucket that asks while it is being created is told that it has its name",
      { BUG_EARLY_YES: 1 },
      "known",
    ],
    ["a bucket that has ended before its create was confirmed gets the name", { BUG_EARLY_END: 1 }, "object"],
    ["a create is confirmed before its object is started", { BUG_CONFIRMED_EARLY: 1 }, "object"],
    ["no reply to a start counts as none having started", { BUG_SILENCE_IS_NOPROC: 1 }, "object"],
    ["no reply to a stop counts as a stop", { BUG_SILENCE_IS_OK: 1 }, "object"],
    ["a late reply counts for the request that is under way", { BUG_LATE_REPLY: 1 }, "object"],
    ["a notice of an earlier bucket frees the name of the present one", { BUG_OLD_NOTICE: 1 }, "object"],
  ])("finds the bug: %s", (_, definitions, looksAt) => {
    expect(check(definitions).violation).toContain(looksAt);
  });
});
