/** The progress line of imports and exports at a terminal. */

import type { Command } from "commander";
import { processOf, type CommandProcess } from "./process.ts";

export interface Progress {
  /** The unit of `done` and `total`: `entries`, `buckets`, `keys` or `bytes`. */
  readonly unit: string;
  readonly done: number;
  /** Undefined if unknown. */
  readonly total: number | undefined;
  readonly elapsedMs: number;
}

const BAR_CELLS = 20;
/** Minimum time between two redraws, in milliseconds. */
const REDRAW_MS = 100;
const CLEAR_LINE = "\r\x1b[K";

/** `[#####     ]  25 %  1,000 of 4,000 entries  500/s  0:06 left`. */
export function progressLine({ unit, done, total, elapsedMs }: Progress): string {
  const perSecond = elapsedMs > 0 ? (done / elapsedMs) * 1_000 : 0;
  const rate = perSecond > 0 ? `${count(perSecond, unit)}/s` : "";
  if (!total) return joined(`${count(done, unit)}${nameOf(unit)}`, rate);
  const part = Math.min(1, done / total);
  const bar = "#".repeat(Math.floor(part * BAR_CELLS)).padEnd(BAR_CELLS);
  const percent = String(Math.floor(part * 100)).padStart(3);
  const left = perSecond > 0 && done < total ? `${clock((total - done) / perSecond)} left` : "";
  return joined(
    `[${bar}] ${percent} %`,
    `${count(done, unit)} of ${count(total, unit)}${nameOf(unit)}`,
    rate,
    left,
  );
}

/** Counts, and draws the progress line on stderr if that is a terminal. */
export class Meter {
  readonly #stderr: CommandProcess["stderr"];
  readonly #unit: string;
  readonly #total: number | undefined;
  readonly #started = performance.now();
  #drawn = 0;
  #done = 0;

  constructor(command: Command, unit: string, total?: number) {
    this.#stderr = processOf(command).stderr;
    this.#unit = unit;
    this.#total = total;
  }

  add(more: number): void {
    this.#done += more;
    const now = performance.now();
    if (!this.#stderr.isTTY || now - this.#drawn < REDRAW_MS) return;
    this.#drawn = now;
    const progress = { unit: this.#unit, done: this.#done, total: this.#total };
    this.#stderr.write(CLEAR_LINE + progressLine({ ...progress, elapsedMs: now - this.#started }));
  }

  /** Clears the line. */
  end(): void {
    if (this.#drawn > 0) this.#stderr.write(CLEAR_LINE);
  }
}

/** Passes the pieces on and counts them. */
export async function* metered(
  pieces: AsyncIterable<Uint8Array>,
  meter: Meter,
  countOf: (piece: Uint8Array) => number,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const piece of pieces) {
      meter.add(countOf(piece));
      yield piece;
    }
  } finally {
    meter.end();
  }
}

function count(amount: number, unit: string): string {
  if (unit !== "bytes") return Math.round(amount).toLocaleString("en");
  return amount < 1_048_576 ? `${(amount / 1_024).toFixed(0)} KiB` : `${(amount / 1_048_576).toFixed(1)} MiB`;
}

/** Empty for bytes, whose amount already has a unit. */
function nameOf(unit: string): string {
  return unit === "bytes" ? "" : ` ${unit}`;
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("  ");
}

function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number: number): string => String(number).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
