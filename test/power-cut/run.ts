/** Records a server, draws disks of power cuts, and checks what each holds. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drawDisk, writeDisk, type Fault } from "./disk.ts";
import { Expected } from "./expected.ts";
import { doHalf } from "./half-done.ts";
import { Random } from "../support/random.ts";
import { readByServer } from "./read-by-server.ts";
import { readBySqlite } from "./read-by-sqlite.ts";
import { filesOf, record, type Life, type Recorded } from "./recording.ts";
import { Timeline } from "./timeline.ts";
import { judge, type Found, type Verdict } from "./verdict.ts";

/** One life that a kill ends, so that the next recovers its logs, and others that stop in order. */
const LIVES: Readonly<Record<"short" | "long", readonly Life[]>> = {
  short: [
    { changes: 50, end: "kill" },
    { changes: 40, end: "stop" },
  ],
  long: [
    { changes: 120, end: "kill" },
    { changes: 90, end: "stop" },
    { changes: 30, end: "stop" },
  ],
};

export interface Plan {
  readonly seed: number;
  readonly disks: number;
  /** A server is started on each n-th disk; the others are read by SQLite itself. */
  readonly serverEvery: number;
  readonly fault?: Fault;
}

export interface Outcome {
  readonly disk: number;
  readonly by: "server" | "SQLite";
  /** How the disk came about. */
  readonly how: string;
  readonly verdicts: readonly Verdict[];
}

export interface Summary {
  readonly disks: number;
  /** Disks that a server was started on. */
  readonly started: number;
  /** Acknowledged changes that were looked for, on all disks together. */
  readonly acknowledged: number;
  /** Of the recording. */
  readonly changes: number;
  readonly failures: readonly Outcome[];
}

/** Servers at once: the machine is shared. */
const LANES = 2;

/** Records once. @param folder an empty one, for the data and the trace */
export async function recordLives(
  seed: number,
  folder: string,
  length: keyof typeof LIVES,
): Promise<Recorded> {
  const recorded = await record(seed, folder, LIVES[length]);
  checkRecording(recorded);
  return recorded;
}

/** All operations together give the files that are there, byte by byte: nothing was missed. */
function checkRecording({ operations, data }: Recorded): void {
  const timeline = new Timeline(operations);
  timeline.advance(operations.length);
  const real = filesOf(data);
  const paths = (files: ReadonlyMap<string, unknown>): string => [...files.keys()].toSorted().join();
  if (paths(timeline.live) !== paths(real)) {
    throw new Error(`the trace has other files: ${paths(timeline.live)}, not ${paths(real)}`);
  }
  for (const [path, { base, synced, pending }] of timeline.live) {
    const content = base.copy();
    for (const change of [...synced, ...pending]) content.change(change);
    if (!content.bytes.equals(real.get(path) as Buffer)) throw new Error(`the trace has another ${path}`);
  }
}

/** Draws and checks the disks. One that fails is kept, in a folder that its outcome names. */
export async function checkDisks(
  recorded: Recorded,
  { seed, disks, serverEvery, fault }: Plan,
): Promise<Summary> {
  const scratch = mkdtempSync(join(tmpdir(), "durable-kv-power-cut-"));
  const names = [
    ...new Set(recorded.writers.flatMap(({ changes }) => changes.map(({ change }) => change.bucket))),
  ];
  const expected = new Expected(recorded);
  const timeline = new Timeline(recorded.operations);
  const failures: Outcome[] = [];
  const lanes = new Lanes(LANES);
  let started = 0;
  let acknowledged = 0;
  for (const [n, { position, disk, random }] of drawCuts(recorded, { seed, disks, fault }).entries()) {
    timeline.advance(position);
    const allowed = expected.at(position);
    acknowledged += allowed.reduce((sum, one) => sum + one.acknowledged, 0);
    const drawn = drawDisk(timeline, random, fault);
    const folder = join(scratch, String(disk));
    writeDisk(drawn, folder);
    if (fault === "half a transaction") doHalf(folder, allowed);
    const settle = (by: Outcome["by"], found: Found): void => {
      const verdicts = judge(allowed, found);
      const how = `disk ${disk} of seed ${seed}, cut at ${position} of ${recorded.operations.length}, ${drawn.drawn}`;
      if (verdicts.length > 0)
        failures.push({ disk, by, how: `${how}${keep(drawn, disk, fault)}`, verdicts });
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    };
    if ((n + 1) % serverEvery === 0) {
      started += 1;
      await lanes.run(async () => settle("server", await readByServer(folder, names)));
    } else settle("SQLite", readBySqlite(folder));
  }
  await lanes.end();
  rmSync(scratch, { recursive: true, force: true, maxRetries: 10 });
  const changes = recorded.writers.reduce((sum, writer) => sum + writer.changes.length, 0);
  return { disks, started, acknowledged, changes, failures };
}

/** Keeps a failing disk as it was drawn: the timing of a recording can't be repeated by a seed. */
function keep(drawn: Parameters<typeof writeDisk>[0], disk: number, fault: Fault | undefined): string {
  if (fault !== undefined) return "";
  const folder = join(mkdtempSync(join(tmpdir(), "durable-kv-failed-disk-")), `disk-${disk}`);
  writeDisk(drawn, folder);
  return `, kept in ${folder}`;
}

interface Cut {
  readonly disk: number;
  /** Operations before this one have begun, and those that are syncs have ended. */
  readonly position: number;
  readonly random: Random;
}

/**
 * In the order of their positions. A half anywhere; the others where most is at stake: behind a reply, and before a sync
 * has returned. With a fault, where it shows: behind a reply, or before that of a transaction.
 */
function drawCuts(
  { operations, writers }: Recorded,
  { seed, disks, fault }: Pick<Plan, "seed" | "disks"> & { fault: Fault | undefined },
): Cut[] {
  const changes = writers.flatMap((writer) => writer.changes);
  const replies = changes.map(({ acknowledged }) => acknowledged);
  const pairs = changes
    .filter(({ change }) => change.kind === "pair")
    .map(({ acknowledged }) => acknowledged);
  const syncs = [...operations.keys()].filter((at) => operations[at]?.kind === "sync");
  const draw = (random: Random): number => {
    if (fault === "half a transaction") return random.pick(pairs);
    if (fault === "sync ignored") return random.pick(replies) + 1;
    if (random.chance(0.5)) return random.below(operations.length + 1);
    return random.chance(0.5) ? random.pick(replies) + 1 : random.pick(syncs);
  };
  return Array.from({ length: disks }, (_, disk) => {
    const random = new Random(seed + disk);
    return { disk, position: draw(random), random };
  }).toSorted((one, other) => one.position - other.position);
}

/** Runs tasks, not more than a number at once. */
class Lanes {
  readonly #limit: number;
  readonly #running = new Set<Promise<void>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Waits for a lane and begins the task; it does not wait for its end. */
  async run(task: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#limit) await Promise.race(this.#running);
    const running = task().finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async end(): Promise<void> {
    await Promise.all(this.#running);
  }
}

export function reportOf({ disk, by, how, verdicts }: Outcome): string {
  return [
    `disk ${disk}, read by ${by}: ${how}`,
    ...verdicts.map(({ kind, about }) => `  ${kind}: ${about}`),
  ].join("\n");
}

export function summaryOf({ disks, started, acknowledged, failures }: Summary, seconds: number): string {
  const of = (...kinds: Verdict["kind"][]): number =>
    failures.filter(({ verdicts }) => verdicts.some(({ kind }) => kinds.includes(kind))).length;
  const other = of("not ended", "list", "error");
  return [
    `power cut: ${disks} disks`,
    `${acknowledged} acknowledged writes`,
    `${of("lost")} lost`,
    `${of("half done")} half done`,
    `${seconds.toFixed(0)} seconds (a server started on ${started}; ${other} other faults)`,
  ].join(", ");
}
