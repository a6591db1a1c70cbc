/** Fingerprints of requests: requests with the same meaning have the same fingerprint, however they are written. */

import { base64Of, textOf } from "./value.ts";

/**
 * The version of the algorithm, in front of each fingerprint. Buckets store fingerprints, so an algorithm that gives
 * another result for the same request needs a new version. Version 1 had no prefix, and gave different fingerprints to
 * some requests with the same meaning.
 */
const VERSION = "2:";

/**
 * The fingerprint of a request: SHA-256 of its canonical JSON, in base64.
 * @param meaning the parsed request: integers as bigint, values as text or bytes, defaults filled in
 */
export async function fingerprintOf(meaning: readonly unknown[]): Promise<string> {
  const text = JSON.stringify(meaning, canonical);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return VERSION + new Uint8Array(digest).toBase64();
}

/** Whether the same version of the algorithm made both fingerprints; others can't be compared. */
export function areComparable(one: string, other: string): boolean {
  return versionOf(one) === versionOf(other);
}

function versionOf(fingerprint: string): string {
  return fingerprint.slice(0, fingerprint.indexOf(":") + 1);
}

/** A replacer for `JSON.stringify` that ignores the order of properties, and properties that are undefined. */
function canonical(property: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  // A value may be stored as text or as bytes; callers can't see which.
  if (value instanceof ArrayBuffer) return textOf(value) ?? { base64: base64Of(value) };
  // A list of tags is a set: order and repetition mean nothing.
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
