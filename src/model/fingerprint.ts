/** Fingerprints of requests: the same for the same meaning, whatever words it came in. */

import { base64Of, textOf } from "./value.ts";

/**
 * The recipe's number, in front of each fingerprint: buckets keep them, so a recipe that gives other ones for what it
 * gave before is another recipe. The first had no number, and told requests apart that meant the same.
 */
const RECIPE = "2:";

/** @param meaning a request as it was understood: whole numbers as bigint, values as text or bytes, defaults filled in */
export async function fingerprintOf(meaning: readonly unknown[]): Promise<string> {
  const text = JSON.stringify(meaning, canonical);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return RECIPE + new Uint8Array(digest).toBase64();
}

/** Whether two fingerprints can be compared at all. */
export function areComparable(one: string, other: string): boolean {
  return recipeOf(one) === recipeOf(other);
}

function recipeOf(fingerprint: string): string {
  return fingerprint.slice(0, fingerprint.indexOf(":") + 1);
}

/** One text for one meaning: it does not depend on the order of properties, nor on those that are undefined. */
function canonical(property: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  // Whether bytes are kept as text can't be seen from outside.
  if (value instanceof ArrayBuffer) return textOf(value) ?? { base64: base64Of(value) };
  // Several tags are a set of them.
  if (isTags(property, value)) return [...new Set(value)].toSorted(inOrder);
  if (Array.isArray(value)) return value;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => inOrder(one, other)));
}

function isTags(property: string, value: unknown): value is readonly string[] {
  return Array.isArray(value) && (property === "ifMatch" || property === "ifNoneMatch");
}

function inOrder(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
