/** What a request says, however it is written: two that mean the same are one to an idempotency key. */

import { isObject } from "../support/expect.ts";

const INTEGERS = new Set(["by", "initial", "integer"]);
const TAGS = new Set(["ifMatch", "ifNoneMatch"]);
/** What is a caller's own is as it is written. */
const VALUES = new Set(["json", "metadata"]);

export function meaningOf(request: unknown): string {
  return JSON.stringify(plain(request, ""));
}

function plain(value: unknown, name: string): unknown {
  if (VALUES.has(name)) return value;
  if (INTEGERS.has(name)) return String(BigInt(value as string | number));
  if (TAGS.has(name)) return value === "*" ? value : [value].flat();
  if (name === "expires") return Date.parse(String(value));
  if (Array.isArray(value)) return value.map((one) => plain(one, ""));
  if (!isObject(value)) return value;
  const defaults = defaultsOf(value, name);
  const members = Object.entries({ ...defaults, ...value }).toSorted(([a], [b]) => a.localeCompare(b));
  return Object.fromEntries(members.map(([key, member]) => [key, plain(member, key)]));
}

/** What is left out has a meaning too. */
function defaultsOf(
  value: Readonly<Record<string, unknown>>,
  name: string,
): Readonly<Record<string, unknown>> {
  if (value["op"] === "increment") return { by: 1, initial: 0 };
  if ("op" in value || name !== "") return {};
  if ("key" in value) return { is: "=" };
  const isTransaction = ["if", "then", "else"].some((one) => one in value);
  return isTransaction ? { if: [], then: [], else: [] } : { by: 1, initial: 0 };
}
