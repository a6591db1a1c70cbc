/** What a writer does to its buckets, and what they hold after it. */

import type { Random } from "../support/random.ts";

/** Text that is told by a number and a size, so that it need not be kept. */
export interface Value {
  readonly id: number;
  readonly size: number;
}

export type Change =
  | { readonly kind: "create"; readonly bucket: string; readonly temporary: boolean }
  | { readonly kind: "stop"; readonly bucket: string }
  /** An exit signal, which ends a temporary bucket. */
  | { readonly kind: "exit"; readonly bucket: string }
  | { readonly kind: "put"; readonly bucket: string; readonly key: string; readonly value: Value }
  | { readonly kind: "delete"; readonly bucket: string; readonly key: string }
  /** A transaction that puts one value under two keys. */
  | {
      readonly kind: "pair";
      readonly bucket: string;
      readonly keys: readonly [string, string];
      readonly value: Value;
    };

/** The values of each living bucket, by key. */
export type Buckets = Map<string, Map<string, string>>;

export function textOf({ id, size }: Value): string {
  const word = `${id}.`;
  return word.repeat(Math.ceil(size / word.length)).slice(0, Math.max(size, word.length));
}

/** Carries a change out on `buckets`. */
export function apply(buckets: Buckets, change: Change): void {
  if (change.kind === "create") return void buckets.set(change.bucket, new Map());
  if (change.kind === "stop" || change.kind === "exit") return void buckets.delete(change.bucket);
  const keys = buckets.get(change.bucket);
  if (keys === undefined) throw new Error(`the test changes ${change.bucket}, which it has not created`);
  if (change.kind === "delete") keys.delete(change.key);
  else
    for (const key of change.kind === "pair" ? change.keys : [change.key])
      keys.set(key, textOf(change.value));
}

export function copyOf(buckets: Buckets): Buckets {
  return new Map([...buckets].map(([bucket, keys]) => [bucket, new Map(keys)]));
}

/** What a change may be, and what its transport can carry. */
export interface Abilities {
  /** Buckets that come and go. */
  readonly buckets: boolean;
  readonly transactions: boolean;
  readonly temporary: boolean;
  /** Values of more than a mebibyte, which are stored in chunks. */
  readonly large: boolean;
}

const KEYS = 8;
const PAIRS = 3;
const LASTING = 2;
const PASSING = 2;

/** Draws the next change of a writer, one that succeeds. Names are few, so that buckets and keys are used again. */
export function nextChange(
  random: Random,
  { writer, id, buckets, can }: { writer: string; id: number; buckets: Buckets; can: Abilities },
): Change {
  const lasting = Array.from({ length: LASTING }, (_, n) => `${writer}-${n}`);
  for (const bucket of lasting) {
    if (!buckets.has(bucket)) return { kind: "create", bucket, temporary: false };
  }
  const chance = random.below(100);
  if (can.buckets && chance < 14) {
    // Buckets that come and go: created, filled like all others, ended.
    const temporary = can.temporary && random.chance(0.5);
    const bucket = `${writer}-${temporary ? "temporary" : "permanent"}-${random.below(PASSING)}`;
    if (!buckets.has(bucket)) return { kind: "create", bucket, temporary };
    return { kind: temporary && random.chance(0.5) ? "exit" : "stop", bucket };
  }
  const bucket = random.pick([...buckets.keys()]);
  const keys = [...(buckets.get(bucket)?.keys() ?? [])];
  const value = { id, size: random.pick([1, 40, 400, 4_000, 20_000]) };
  const single = keys.filter((key) => key.startsWith("k"));
  if (chance < 24 && single.length > 0) return { kind: "delete", bucket, key: random.pick(single) };
  if (can.transactions && chance < 60) {
    const pair = random.below(PAIRS);
    return { kind: "pair", bucket, keys: [`a${pair}`, `b${pair}`], value };
  }
  if (can.large && chance < 61) return { kind: "put", bucket, key: "large", value: { id, size: 1_200_000 } };
  return { kind: "put", bucket, key: `k${random.below(KEYS)}`, value };
}
