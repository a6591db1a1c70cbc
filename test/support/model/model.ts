/** The registry and its buckets as a plain model, beside the real ones. */

import { expect } from "vitest";
import { Refusal } from "../../../src/otp/exit.ts";
import type { RestartKind } from "../../../src/otp/restart.ts";
import { ask, type Isolate, isolate } from "../directories.ts";
import { bucketsSince } from "../faults.ts";
import { bucketIds, clock } from "../objects.ts";

/** A bucket that has the name. */
export interface ModelBucket {
  readonly incarnation: string;
  readonly id: string;
  readonly restart: RestartKind;
  readonly entries: Map<string, string>;
  /** It has ended, for this reason, and the registry has not been told. */
  unacked?: string;
  /**
   * It was to be stopped, and that was cut off: no lookup finds it, but who knows it may still reach it.
   * Why it may have ended by the time it is found to have.
   */
  halfStopped?: string[];
}

export class Model {
  readonly buckets = new Map<string, ModelBucket>();
  /** For each incarnation that has ended: the reasons that its DOWN may give. */
  readonly ended = new Map<string, { readonly name: string; readonly reasons: readonly string[] }>();
}

/** The real thing: two callers, each with a cache of its own that may be as stale as it likes. */
export class Real {
  static #runs = 0;
  readonly callers: readonly Isolate[] = [isolate(), isolate()];
  readonly names: readonly string[];
  readonly #before = new Set(bucketIds);

  constructor(label: string) {
    Real.#runs += 1;
    this.names = ["a", "b"].map((name) => `${label}-${Real.#runs}-${name}`);
  }

  ids(): string[] {
    return bucketsSince(this.#before);
  }
}

export const KEYS = ["milk", "eggs"];

export function end(model: Model, name: string, ...reasons: readonly string[]): void {
  const bucket = model.buckets.get(name);
  if (bucket === undefined) return;
  model.buckets.delete(name);
  model.ended.set(bucket.incarnation, { name, reasons });
}

export async function create(
  model: Model,
  real: Real,
  name: string,
  caller: number,
  restart: RestartKind,
): Promise<void> {
  const before = model.buckets.get(name);
  // The stop comes first: the name is free, and its next bucket is empty.
  if (before?.halfStopped !== undefined) end(model, name, ...before.halfStopped);
  const answer = await directoryOf(real, caller).create(name, { restart }).catch(differently);
  if (answer === "differently") {
    expect([model.buckets.has(name), before?.restart === restart], "is there, and differs").toEqual([
      true,
      false,
    ]);
    return;
  }
  const { created, registration } = answer;
  const { incarnation, id } = registration;
  if (before?.unacked !== undefined && created) end(model, name, before.unacked);
  expect(created, "created").toBe(!model.buckets.has(name));
  if (!created) expect([incarnation, restart]).toEqual([before?.incarnation, before?.restart]);
  else model.buckets.set(name, { incarnation, id, restart, entries: new Map() });
}

/** A create that was refused because of what the bucket was created with; anything else is thrown on. */
export function differently(error: unknown): "differently" {
  if (error instanceof Refusal && error.code === "bucket_exists_differently") return "differently";
  throw error;
}

/** What a call to a bucket that has ended unacked shows: the registry has asked, and knows. */
export function acked(model: Model, name: string): ModelBucket | undefined {
  const bucket = model.buckets.get(name);
  if (bucket?.unacked !== undefined) end(model, name, bucket.unacked);
  return model.buckets.get(name);
}

/** What alarms that are due do about a bucket. */
export function settle(model: Model, name: string): void {
  const bucket = acked(model, name);
  if (bucket?.halfStopped !== undefined) end(model, name, ...bucket.halfStopped);
}

export function isHalfStopped(model: Model, name: string): boolean {
  return model.buckets.get(name)?.halfStopped !== undefined;
}

export function directoryOf(real: Real, caller: number): Isolate["directory"] {
  return (real.callers[caller] as Isolate).directory;
}

export async function checkEntries(model: Model, real: Real, name: string, caller: number): Promise<void> {
  const directory = directoryOf(real, caller);
  const found: Record<string, string> = {};
  for (const key of KEYS) {
    const answer = await ask(directory, name, (bucket) => bucket.get(key, {}));
    if (isHalfStopped(model, name)) return;
    const bucket = acked(model, name);
    expect(answer === undefined, `${name} is there`).toBe(bucket === undefined);
    if (answer?.outcome === "found") found[key] = answer.entry.value as string;
  }
  expect(found, "entries").toEqual(Object.fromEntries(acked(model, name)?.entries ?? []));
}

/** A restart more than five seconds after the one before is none too many. */
export function passWindow(): void {
  clock.aheadMs += 6_000;
}
