/** Test data for attacks: the bucket `b` and its values. */

import type { Attacker } from "../attacker.ts";

export const BUCKET = "/v1/buckets/b";
export const MEBIBYTE = 1_048_576;

/** Creates the bucket and puts a value. @throws if either is refused */
export async function store(
  attacker: Attacker,
  key: string,
  value: string,
  { type = "text/plain" }: { readonly type?: string } = {},
): Promise<void> {
  await attacker.ask("PUT", BUCKET);
  const headers = { "Content-Type": type };
  const { status, text } = await attacker.ask("PUT", `${BUCKET}/keys/${key}`, { body: value, headers });
  if (status >= 300) throw new Error(`can't put ${key}: ${status} ${text}`);
}

/** Counts equal outcomes: `97 × open, 3 × closed 1013 slow_reader`. */
export function tally(endings: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const ending of endings) counts.set(ending, (counts.get(ending) ?? 0) + 1);
  return [...counts].map(([ending, count]) => `${count} × ${ending}`).join(", ");
}
