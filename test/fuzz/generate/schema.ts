/** Values that a JSON schema takes, and values that it nearly takes. */

import fc from "fast-check";
import type { Api, Schema } from "../support/api.ts";
import { isObject } from "../support/expect.ts";
import * as names from "./names.ts";
import * as values from "./values.ts";

/** What is drawn for members that mean more than their schema says, so that requests meet each other's entries. */
const BY_NAME: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  key: names.nearlyKey,
  prefix: names.prefix,
  start: names.prefix,
  end: names.prefix,
  by: values.integer,
  initial: values.integer,
  integer: values.integer,
  ttl: values.ttl,
  expires: values.expires,
  type: values.type,
  metadata: values.metadata,
  value: values.text,
  json: values.json,
  base64: fc.oneof(
    { weight: 9, arbitrary: values.bytes.map((bytes) => bytes.toString("base64")) },
    { weight: 1, arbitrary: fc.constantFrom("A", "====", "é", "YQ", "YWI") },
  ),
  ifMatch: values.tags,
  ifNoneMatch: values.tags,
  revision: fc.nat({ max: 12 }),
  limit: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(1, 2, 1_000) },
    { weight: 1, arbitrary: fc.constantFrom(0, 1_001, 1.5) },
  ),
  cursor: fc.oneof(
    { weight: 9, arbitrary: names.key.map((key) => Buffer.from(key).toString("base64url")) },
    { weight: 1, arbitrary: fc.constantFrom("!", "", "_w") },
  ),
  idempotencyKey: fc.constantFrom("a", "b", "", "é"),
  id: fc.nat(),
  reason: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("normal", "kill", "boom", "é\n") },
    { weight: 1, arbitrary: fc.constantFrom("", "r".repeat(256), "r".repeat(257)) },
  ),
};
/** How often what need not be there is. */
const OFTEN: Readonly<Record<string, number>> = { then: 0.9, else: 0.6, if: 0.7, by: 0.6 };
const MAX_ITEMS = 5;
/** One value is what these say, not several. */
const ALTERNATIVES = [
  ["value", "json", "base64"],
  ["ttl", "expires"],
  ["exists", "revision", "integer", "value", "json", "base64"],
] as const;

/** Values that the schema takes, but for what its words alone say. */
export function taken(api: Api, schema: Schema): fc.Arbitrary<unknown> {
  const resolved = api.resolve(schema);
  const { anyOf, oneOf, type } = resolved;
  if ("const" in resolved) return fc.constant(resolved["const"]);
  if (Array.isArray(resolved["enum"])) return fc.constantFrom(...(resolved["enum"] as unknown[]));
  const alternatives = (anyOf ?? oneOf) as Schema[] | undefined;
  if (alternatives !== undefined) return fc.oneof(...alternatives.map((one) => taken(api, one)));
  switch (type) {
    case "object":
      return objects(api, resolved);
    case "array":
      return fc.array(taken(api, (resolved["items"] ?? {}) as Schema), { maxLength: MAX_ITEMS });
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.integer(bounds(resolved));
    case "number":
      return fc.double({ ...bounds(resolved), noNaN: true });
    case "string":
      return values.text;
    default:
      return values.json;
  }
}

/** As {@link taken}, and now and then something next to it: a member too many or too few, another type, a boundary. */
export function nearlyTaken(api: Api, schema: Schema): fc.Arbitrary<unknown> {
  const whole = taken(api, schema);
  return fc.oneof(
    { weight: 9, arbitrary: whole },
    {
      weight: 1,
      arbitrary: fc.tuple(whole, fc.nat(), WRONG).map(([value, at, wrong]) => spoilt(value, at, wrong)),
    },
  );
}

function objects(api: Api, { properties = {}, required = [] }: Schema): fc.Arbitrary<unknown> {
  const needed = required as readonly string[];
  const members = Object.entries(properties as Record<string, Schema>).map(([name, schema]) => {
    const arbitrary = BY_NAME[name] ?? taken(api, schema);
    if ("const" in schema || needed.includes(name)) return [name, arbitrary] as const;
    const some = OFTEN[name] ?? 0.3;
    const maybe = fc
      .tuple(fc.nat({ max: 99 }), arbitrary)
      .map(([chance, value]) => (chance >= 100 - 100 * some ? value : undefined));
    return [name, maybe] as const;
  });
  return fc
    .tuple(
      fc.record(Object.fromEntries(members)),
      fc.record({ which: fc.nat({ max: 5 }), keep: fc.nat({ max: 19 }) }),
      ...chosen(api, properties as Record<string, Schema>),
    )
    .map(([object, { which, keep }, ...picked]) => {
      const made = without(object);
      // Once in a while what only the words forbid stays: none of them, or two.
      if (keep === 0) return made;
      for (const [index, group] of groupsOf(properties as Record<string, Schema>).entries()) {
        const single = group[which % group.length] ?? "";
        const had = group.some((name) => name in made);
        for (const name of group) delete made[name];
        if (had || !OPTIONAL.has(group[0] ?? ""))
          made[single] = (picked[index] as unknown[])[which % group.length];
      }
      return made;
    });
}

const OPTIONAL = new Set(["ttl"]);

function groupsOf(properties: Readonly<Record<string, Schema>>): (readonly string[])[] {
  const there = ALTERNATIVES.filter((group) => group.every((name) => name in properties));
  // A comparison's alternatives have those of a value in them.
  const largest = there.some((group) => group.length > 3)
    ? there.filter((group) => group[0] !== "value")
    : there;
  return largest.map((group) => [...group]);
}

function chosen(api: Api, properties: Readonly<Record<string, Schema>>): fc.Arbitrary<unknown>[] {
  return groupsOf(properties).map((group) =>
    fc.tuple(...group.map((name) => BY_NAME[name] ?? taken(api, properties[name] ?? {}))),
  );
}

function without(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

const WRONG: fc.Arbitrary<unknown> = fc.constantFrom<unknown[]>(
  null,
  true,
  -1,
  0.5,
  1e21,
  "",
  "x",
  [],
  {},
  "<gone>",
  "<more>",
);

/** The value with one place in it, anywhere, replaced by what does not belong there. */
function spoilt(value: unknown, at: number, wrong: unknown): unknown {
  const places = placesOf(value);
  const place = places[at % places.length] ?? [];
  return replaced(value, place, wrong);
}

function placesOf(value: unknown): (readonly string[])[] {
  const inner = isObject(value) || Array.isArray(value) ? Object.entries(value) : [];
  return [[], ...inner.flatMap(([name, member]) => placesOf(member).map((place) => [name, ...place]))];
}

function replaced(value: unknown, [name, ...rest]: readonly string[], wrong: unknown): unknown {
  if (name === undefined) return wrong === "<more>" && isObject(value) ? { ...value, more: 1 } : wrong;
  if (Array.isArray(value)) {
    return value.map((one, index): unknown => (String(index) === name ? replaced(one, rest, wrong) : one));
  }
  const { [name]: member, ...others } = value as Record<string, unknown>;
  if (rest.length === 0 && wrong === "<gone>") return others;
  return { ...others, [name]: replaced(member, rest, wrong) };
}

function bounds({ minimum, maximum }: Schema): { min?: number; max?: number } {
  return {
    ...(typeof minimum === "number" ? { min: minimum } : {}),
    ...(typeof maximum === "number" ? { max: maximum } : {}),
  };
}
