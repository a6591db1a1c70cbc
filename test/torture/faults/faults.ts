/** The faults, one after the other, in an order that the seed decides. */

import { setTimeout as pause } from "node:timers/promises";
import type { Random } from "../../support/random.ts";
import { NETWORK_FAULTS, type NetworkFault } from "./proxy.ts";
import type { ServerTarget } from "./target.ts";

/** Classes of faults. */
export const FAULTS = [
  "kill",
  "stop",
  "pause",
  "network",
  "abort",
  "evict",
  "failpoint",
  "clock",
  "disk",
] as const;

export type Fault = (typeof FAULTS)[number];

/** How often each class is drawn, beside the kills, which come by their own clock. */
const WEIGHTS: Readonly<Record<Exclude<Fault, "kill">, number>> = {
  stop: 1,
  pause: 2,
  network: 8,
  abort: 4,
  evict: 4,
  failpoint: 8,
  clock: 3,
  disk: 2,
};

/** Milliseconds between two kills, and between two other faults. */
const KILL_EVERY_MS = 5_000;
const FAULT_EVERY_MS = 800;
/** The furthest that the clock is put forward or back in one step, in milliseconds. */
const CLOCK_STEP_MS = 20_000;
const LONGEST_PAUSE_MS = 400;
/** How long the disk fails at most, in milliseconds. */
const LONGEST_SPOILT_MS = 1_000;
/** A failpoint is armed that comes after up to so many others. */
const MAX_SKIPPED = 40;

export class Faults {
  readonly #target: ServerTarget;
  readonly #random: Random;
  readonly #classes: readonly Fault[];
  /** How often each has happened. */
  readonly counts = new Map<string, number>();

  constructor(target: ServerTarget, random: Random, classes: readonly Fault[]) {
    this.#target = target;
    this.#random = random;
    this.#classes = classes.filter((fault) => (fault !== "clock" && fault !== "disk") || target.hasShim);
  }

  /** Makes faults until the end. */
  async run(isOver: () => boolean): Promise<void> {
    let nextKill = performance.now() + KILL_EVERY_MS / 2;
    while (!isOver()) {
      const isKill = this.#classes.includes("kill") && performance.now() >= nextKill;
      if (isKill) nextKill = performance.now() + KILL_EVERY_MS;
      const fault = isKill ? "kill" : this.#draw();
      if (fault !== undefined) await this.#make(fault);
      await pause(FAULT_EVERY_MS);
    }
  }

  #draw(): Exclude<Fault, "kill"> | undefined {
    const bag = Object.entries(WEIGHTS).flatMap(([fault, weight]) =>
      this.#classes.includes(fault as Fault) ? Array<string>(weight).fill(fault) : [],
    );
    return bag.length === 0 ? undefined : (this.#random.pick(bag) as Exclude<Fault, "kill">);
  }

  async #make(fault: Fault): Promise<void> {
    const random = this.#random;
    const count = (name: string): void => void this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    switch (fault) {
      case "kill":
        await this.#target.kill();
        return count("kill -9");
      case "stop":
        await this.#target.restart();
        return count("stop and start");
      case "pause":
        await this.#target.pause(random.below(LONGEST_PAUSE_MS));
        return count("engine paused");
      case "network": {
        const how = random.pick<NetworkFault>(NETWORK_FAULTS);
        const part = random.below(100);
        // Of its own, so that the number of connections does not change what is drawn next.
        const chosen = random.fork();
        const proxies = [this.#target.http, this.#target.tcp];
        const spoilt = proxies.map((proxy) => proxy.spoil(how, () => chosen.below(100) < part));
        if (spoilt.some((pairs) => pairs > 0)) count(`network: ${how}`);
        return;
      }
      case "abort":
      case "evict": {
        const object = random.below(4) === 0 ? "registry" : "bucket";
        const isDone = await this.#ask(`end?how=${fault}&object=${object}&n=${random.below(1_000_000)}`);
        if (isDone) count(`${object} ${fault === "abort" ? "aborted" : "evicted"}`);
        return;
      }
      case "failpoint": {
        const how = random.pick(["throw", "abort", "evict"]);
        if (await this.#ask(`failpoint?how=${how}&skip=${random.below(MAX_SKIPPED)}`))
          count(`failpoint: ${how}`);
        return;
      }
      case "disk": {
        const how = random.pick(["full", "fsync"] as const);
        this.#target.spoilDisk(how);
        await pause(random.below(LONGEST_SPOILT_MS));
        this.#target.spoilDisk("");
        return count(how === "full" ? "disk full" : "fsync fails");
      }
      case "clock": {
        const byMs = random.below(2 * CLOCK_STEP_MS) - CLOCK_STEP_MS;
        this.#target.moveClock(byMs);
        return count(byMs < 0 ? "clock put back" : "clock put forward");
      }
    }
  }

  /** Asks the torture's own door in the Worker. @returns whether it was done */
  async #ask(what: string): Promise<boolean> {
    const { direct } = this.#target;
    if (direct === undefined) return false;
    const signal = AbortSignal.timeout(5_000);
    return fetch(`${direct}/torture/${what}`, { method: "POST", signal }).then(
      async (response) => ((await response.json()) as { readonly done: boolean }).done,
      () => false,
    );
  }
}
