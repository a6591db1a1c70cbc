/** Compares what a disk holds with what it may hold. */

import type { Buckets } from "./changes.ts";
import type { Allowed } from "./expected.ts";

/** What was read of a disk. */
export interface Found {
  readonly buckets: Buckets;
  /** The buckets that the registry lists. */
  readonly listed: readonly string[];
  /** Damage, answers of 5xx, and the like. */
  readonly errors: readonly string[];
}

export interface Verdict {
  readonly kind:
    | "lost"
    /** Parts of what was under way. */
    | "half done"
    /** A bucket that has ended, or was never there. */
    | "not ended"
    | "list"
    | "error";
  readonly about: string;
}

export function judge(allowed: readonly Allowed[], { buckets, listed, errors }: Found): Verdict[] {
  const verdicts: Verdict[] = errors.map((about) => ({ kind: "error", about }));
  for (const one of allowed) {
    const mine = new Map([...buckets].filter(([bucket]) => bucket.startsWith(`${one.writer}-`)));
    if (one.states.some((state) => same(state, mine))) continue;
    verdicts.push(differenceOf(one, mine));
  }
  const there = [...buckets.keys()].toSorted();
  if (there.join() !== [...listed].toSorted().join()) {
    verdicts.push({ kind: "list", about: `listed ${listed.join()}; there are ${there.join()}` });
  }
  return verdicts;
}

function same(one: Buckets, other: Buckets): boolean {
  return (
    one.size === other.size &&
    [...one].every(([bucket, keys]) => {
      const others = other.get(bucket);
      return others?.size === keys.size && [...keys].every(([key, value]) => others.get(key) === value);
    })
  );
}

/** Says which of the faults it is: where each key by itself is in one of the states, it is a mixture of them. */
function differenceOf({ writer, states, underWay, acknowledged }: Allowed, mine: Buckets): Verdict {
  const names = new Set([...mine.keys(), ...states.flatMap((state) => [...state.keys()])]);
  const wrong: string[] = [];
  let alive = false;
  for (const bucket of names) {
    if (!states.some((state) => state.has(bucket) === mine.has(bucket))) {
      alive ||= mine.has(bucket);
      wrong.push(`${bucket} is ${mine.has(bucket) ? "there" : "missing"}`);
      continue;
    }
    if (!mine.has(bucket)) continue;
    const living = states.filter((state) => state.has(bucket));
    const keys = new Set([...living, mine].flatMap((state) => [...(state.get(bucket)?.keys() ?? [])]));
    for (const key of keys) {
      const value = mine.get(bucket)?.get(key);
      const values = living.map((state) => state.get(bucket)?.get(key));
      if (values.includes(value)) continue;
      wrong.push(`${bucket} ${key} is ${short(value)}, not ${values.map(short).join(" or ")}`);
    }
  }
  const about = `${writer} after ${acknowledged} acknowledged changes, ${JSON.stringify(underWay).slice(0, 300)} under way: ${wrong.join("; ") || "a mixture of allowed states"}`;
  return { kind: wrong.length === 0 ? "half done" : alive ? "not ended" : "lost", about };
}

function short(value: string | undefined): string {
  if (value === undefined) return "missing";
  return value.length > 12 ? `${value.slice(0, 12)}… (${value.length})` : value;
}
