/** The log of all buckets' events, followed from its beginning, through every broken connection. */

import { setTimeout as pause } from "node:timers/promises";
import type { Target } from "../faults/target.ts";
import { ask } from "./http.ts";
import { type SseEvent, SseReader } from "../../support/sse.ts";
import { isCrash, type Life } from "./lives.ts";

interface Seen {
  readonly name: string;
  readonly kinds: { readonly kind: string; readonly reason: string | undefined }[];
}

interface EventData {
  readonly name: string;
  readonly incarnation: string;
  readonly reason?: string;
}

/** Without an event for so long after the faults, all have been heard of; in milliseconds. */
const QUIET_MS = 1_500;

export class EventLog {
  readonly #target: Target;
  readonly #seen = new Map<string, Seen>();
  readonly #violations: string[];
  #lastId = "0".concat(".0".repeat(15));
  #heardAt = performance.now();
  events = 0;

  /** @param violations what it finds is added */
  constructor(target: Target, violations: string[]) {
    this.#target = target;
    this.#violations = violations;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#target.up;
      try {
        const headers = { "Last-Event-ID": this.#lastId };
        const response = await fetch(`${this.#target.url}/v1/events`, { headers, signal });
        if (response.status === 410) this.#violations.push("5: the log no longer has the events that follow");
        if (response.body === null || !response.ok) throw new Error(String(response.status));
        const reader = new SseReader(response);
        for (let event = await reader.next(); event !== undefined; event = await reader.next())
          this.#take(event);
      } catch {
        // The connection broke; it goes on after the last event.
      }
      await pause(100);
    }
  }

  /** Waits until nothing is between two states, and no event comes any more. @param nudge lets time pass for the alarms */
  async settled(nudge: () => void, withinMs: number): Promise<void> {
    const until = performance.now() + withinMs;
    while (performance.now() < until) {
      const answer = await ask(this.#target, "GET", "/v1/registry");
      const states = answer && (JSON.parse(answer.text) as { states: Record<string, number> }).states;
      const isBetween =
        states === undefined || Object.keys(states).some((at) => at !== "running" && states[at]);
      if (!isBetween && performance.now() - this.#heardAt > QUIET_MS) return;
      if (isBetween) nudge();
      await pause(500);
    }
    this.#violations.push("4: names are between two states long after the last fault");
  }

  #take({ id, event: kind, data }: SseEvent): void {
    this.#lastId = id;
    this.#heardAt = performance.now();
    this.events += 1;
    const { name, incarnation, reason } = data as unknown as EventData;
    const seen = this.#seen.get(incarnation) ?? { name, kinds: [] };
    this.#seen.set(incarnation, seen);
    if (seen.kinds.some(({ kind: each }) => each === "DOWN"))
      this.#violations.push(`5: ${name}: ${kind} of ${incarnation} after its DOWN`);
    if (kind === "created" && seen.kinds.length > 0)
      this.#violations.push(`5: ${name}: created of ${incarnation} is not its first event`);
    if (kind !== "created" && seen.kinds.length === 0)
      this.#violations.push(`5: ${name}: ${kind} of ${incarnation}, which was not created`);
    seen.kinds.push({ kind, reason });
  }

  /** Compares the log with what the owners know. */
  check(lives: ReadonlyMap<string, Life>): void {
    for (const [incarnation, { name, reasons, ended }] of lives) {
      const kinds = this.#seen.get(incarnation)?.kinds ?? [];
      const down = kinds.find(({ kind }) => kind === "DOWN");
      if (kinds.length === 0) this.#violations.push(`5: ${name}: no created of ${incarnation}`);
      if (ended && down === undefined) this.#violations.push(`5: ${name}: no DOWN of ${incarnation}`);
      if (down === undefined || reasons.has(down.reason ?? "") || isCrash(down.reason ?? "")) continue;
      this.#violations.push(`6: ${name}: DOWN of ${incarnation} with the reason ${down.reason}`);
    }
  }
}
