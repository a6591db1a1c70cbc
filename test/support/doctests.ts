/** The examples in the docstrings, as Elixir's doctests: each prints what the comments behind its lines say. */

import { formatWithOptions } from "node:util";
import { describe, expect, it } from "vitest";
import type * as doctests from "doctests:client";

type Doctests = typeof doctests;

/** What users do not call: sockets and bound services are the platform's, unstorage calls the driver, objects are bound. */
const NOT_CALLED = [
  "client.Socket",
  "unstorage.BoundService",
  "better-auth.BetterAuthStorage",
  "unstorage.Driver",
  "worker.Bucket",
  "worker.Registry",
];

/**
 * Tests an entry point's examples, and that there are enough of them.
 * @param given what the examples use beside the entry point's own exports; called with a bucket name for each of them
 */
export function testExamples(
  entry: string,
  { exported, examples }: Doctests,
  given: (bucket: string) => Promise<Readonly<Record<string, unknown>>>,
): void {
  describe(`durable-kv/${entry}`, () => {
    it("has a docstring for all that it exports", () => {
      const documented = new Set(exported.filter(({ doc }) => doc !== "").map(({ name }) => name));
      expect(exported.filter(({ name }) => !documented.has(name)).map(placed)).toEqual([]);
    });

    it("names errors in a way that typedoc keeps, which drops what is in braces", () => {
      expect(exported.filter(({ doc }) => /@throws \{(?!@link)/.test(doc)).map(placed)).toEqual([]);
    });

    it("has an example with a result for each class, function and method", () => {
      const shown = new Set(examples.filter(({ expected }) => expected.length > 0).map(({ name }) => name));
      const called = exported.filter(({ name, kind, of = name }) => {
        return kind !== "type" && !NOT_CALLED.includes(`${entry}.${of}`);
      });
      expect(called.length).toBeGreaterThan(0);
      expect(called.filter(({ name }) => !shown.has(name)).map(placed)).toEqual([]);
    });

    it.each(examples)("prints in the example of $name what it says", async ({ name, at, expected, run }) => {
      const printed: string[] = [];
      const console = { log: (...values: unknown[]) => printed.push(formatWithOptions({}, ...values)) };
      await run({ ...(await given(`doctests-${entry}-${name}`)), console });
      expect(printed, at).toEqual(expected);
    });
  });
}

function placed({ name, at }: { readonly name: string; readonly at: string }): string {
  return `${name}, ${at}`;
}
