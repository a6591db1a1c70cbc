/** docs/invariants.md: its links lead to files, and it lists every test of an invariant. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

const DOCS = resolve(import.meta.dirname, "../../docs");
const text = readFileSync(resolve(DOCS, "invariants.md"), "utf8");
const links = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, link = ""]) => resolve(DOCS, link));

describe("docs/invariants.md", () => {
  it("links to files that exist", () => {
    expect(links.length).toBeGreaterThan(40);
    expect(links.filter((link) => !existsSync(link))).toEqual([]);
  });

  it("has a section for each of the eight, with a test that bears its number", () => {
    const sections = text.split(/^## /m).slice(1);
    expect(sections.map((section) => section.slice(0, 2))).toEqual(
      Array.from({ length: 8 }, (_, at) => `${at + 1}.`),
    );
    for (const [at, section] of sections.entries())
      expect(section).toContain(`test/spec/invariant-${at + 1}-`);
  });

  it("lists every test of an invariant", () => {
    const tests = readdirSync(import.meta.dirname)
      .filter((name) => name.startsWith("invariant-"))
      .map((name) => resolve(import.meta.dirname, name));
    expect(tests.filter((test) => !links.includes(test))).toEqual([]);
  });
});
