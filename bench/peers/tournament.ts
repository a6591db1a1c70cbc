/** One workload: all contestants, in alternating turns. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Contestant, Measure, Measured, Running, Workload } from "./workload.ts";

export interface Outcome {
  readonly name: string;
  readonly unit: string;
  readonly cases: readonly CaseOutcome[];
}

export interface CaseOutcome {
  readonly name: string;
  readonly entries: readonly Entry[];
}

/** What was measured of a contestant, in the order of the rounds. */
export interface Entry {
  readonly contestant: string;
  readonly rounds: readonly Measured[];
  /** Why there are no figures; undefined if all rounds went well. */
  readonly failed: string | undefined;
}

export interface Turns {
  readonly rounds: number;
  /** Milliseconds per case, contestant and round. */
  readonly forMs: number;
  /** Ends the workload before the next turn. */
  readonly interrupted: AbortSignal;
}

/** Milliseconds for a round beyond its own time, after which it counts as failed. */
const GRACE_MS = 30_000;
/** Milliseconds in which a server has to start and take its first data. */
const START_MS = 900_000;

/** Starts a server of its own for each contestant, so that earlier workloads affect neither time nor memory. @throws if interrupted */
export async function hold({ name, unit, cases, contestants }: Workload, turns: Turns): Promise<Outcome> {
  const seats: Seat[] = [];
  try {
    for (const contestant of contestants) {
      turns.interrupted.throwIfAborted();
      seats.push(await seat(contestant));
    }
    for (const each of seats) await warmUp(each, cases, turns);
    const outcomes: CaseOutcome[] = [];
    for (const each of cases) outcomes.push(await holdCase(each, seats, turns));
    return { name, unit, cases: outcomes };
  } finally {
    for (const { running } of seats) await running?.stop();
  }
}

/** A contestant in a workload. One that did not start has failed in each case. */
interface Seat {
  readonly contestant: string;
  readonly running: Running | undefined;
  readonly failed: string | undefined;
}

async function seat({ name, start }: Contestant): Promise<Seat> {
  try {
    return { contestant: name, running: await within(START_MS, start()), failed: undefined };
  } catch (error) {
    return { contestant: name, running: undefined, failed: messageOf(error) };
  }
}

/** One turn that is not counted, in which both sides compile their code. What fails here fails again. */
async function warmUp({ running }: Seat, cases: readonly string[], turns: Turns): Promise<void> {
  const measure = cases.map((name) => running?.measures[name]).find((each) => each !== undefined);
  if (measure !== undefined) await take(measure, turns).catch(() => undefined);
}

async function holdCase(name: string, seats: readonly Seat[], turns: Turns): Promise<CaseOutcome> {
  const sides = seats
    .filter(({ running }) => running === undefined || running.measures[name] !== undefined)
    .map(({ contestant, running, failed }) => ({
      contestant,
      measure: running?.measures[name],
      measured: [] as Measured[],
      failed,
    }));
  for (let round = 0; round < turns.rounds; round += 1) {
    // Alternate the order, so that a machine that slows down favours nobody.
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      if (side.failed !== undefined || side.measure === undefined) continue;
      turns.interrupted.throwIfAborted();
      try {
        side.measured.push(await take(side.measure, turns));
      } catch (error) {
        side.failed = messageOf(error);
      }
    }
  }
  return {
    name,
    entries: sides.map(({ contestant, measured, failed }) => ({
      contestant,
      rounds: failed === undefined ? measured : [],
      failed,
    })),
  };
}

function take(measure: Measure, { forMs }: Turns): Promise<Measured> {
  return within(forMs * 2 + GRACE_MS, measure(forMs));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = sleep(milliseconds, undefined, { signal: stop.signal, ref: false }).then(() => {
    throw new Error(`not done within ${milliseconds} ms`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    stop.abort();
  }
}
