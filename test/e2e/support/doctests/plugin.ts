/**
 * The examples in the docstrings, as modules: `doctests:client` has those of `durable-kv/client`. Tests in Node and in
 * workerd import them like any other module, so an example runs where its reader's program would.
 */

import { join, resolve } from "node:path";
import { transform } from "esbuild";
import type { Plugin } from "vitest/config";
import { expectedOf } from "../documents.ts";
import { Modules, type Declared, type Node } from "./exported.ts";

const ROOT = resolve(import.meta.dirname, "../../../..");
const PREFIX = "doctests:";

interface EntryPoint {
  /** What is published. */
  readonly types: string;
  /** What is run. */
  readonly code: string;
  /** What the examples need beside the entry point's own exports, as the test gives it. */
  readonly given: readonly string[];
}

/** The published entry points, by their names in package.json. */
export const ENTRY_POINTS: Readonly<Record<string, EntryPoint>> = {
  client: { types: "src/client/index.ts", code: "src/client/index.ts", given: ["url", "kv", "bucket", "z"] },
  keyv: { types: "src/keyv/index.ts", code: "src/keyv/index.ts", given: ["url", "store", "Keyv"] },
  unstorage: {
    types: "src/unstorage/index.ts",
    code: "src/unstorage/index.ts",
    given: ["url", "createStorage"],
  },
  "better-auth": {
    types: "src/better-auth/index.ts",
    code: "src/better-auth/index.ts",
    given: ["kv", "text"],
  },
  binding: { types: "src/binding/types.ts", code: "src/binding/types.ts", given: ["kv", "bucket"] },
  worker: { types: "src/binding/worker.ts", code: "src/embed.ts", given: ["ctx", "env", "worker"] },
};

interface Example {
  readonly name: string;
  readonly at: string;
  readonly code: string;
}

/** Vite's plugin that makes the modules. */
export function doctests(): Plugin {
  return {
    name: "doctests",
    enforce: "pre",
    resolveId: (id) => (id.startsWith(PREFIX) ? `\0${id}` : undefined),
    async load(id) {
      if (!id.startsWith(`\0${PREFIX}`)) return undefined;
      const entry = ENTRY_POINTS[id.slice(1 + PREFIX.length)];
      if (entry === undefined) throw new Error(`There is no entry point for ${id.slice(1)}.`);
      const modules = new Modules(ROOT, (source) => this.parse(source, { lang: "ts" }) as unknown as Node);
      const all = modules.exportsOf(entry.types).filter(({ doc }) => !doc.includes("@internal"));
      // A default export is most often one that has a name, too.
      const named = new Set(all.filter(({ name }) => !isDefault(name)).map(({ at }) => at));
      const declared = all.filter(({ name, at }) => !isDefault(name) || !named.has(at));
      for (const path of modules.read) this.addWatchFile(join(ROOT, path));
      const { code } = await transform(moduleOf(entry, declared), {
        loader: "ts",
        target: "esnext",
        sourcefile: id.slice(1),
      });
      return code;
    },
  };
}

function isDefault(name: string): boolean {
  return /^default\b/.test(name);
}

function moduleOf({ code, given }: EntryPoint, declared: readonly Declared[]): string {
  const examples = declared.flatMap(examplesOf);
  // Types, too: what is only used as a type is not imported when this has become JavaScript.
  const named = declared.filter(({ kind, name }) => kind !== "method" && !isDefault(name));
  const names = [...new Set(named.map(({ name }) => name))];
  const preamble = `{ console, ${given.join(", ")} }`;
  const runs = examples.map(
    ({ name, at, code: body }) => `{
      name: ${JSON.stringify(name)}, at: ${JSON.stringify(at)}, expected: ${JSON.stringify(expectedOf(body))},
      async run(${preamble}) {{\n${body}\n}},
    }`,
  );
  return `
    import { ${names.join(", ")} } from ${JSON.stringify(join(ROOT, code))};
    export const exported = ${JSON.stringify(declared)};
    export const source = ${JSON.stringify(examples.map(({ code: body }) => `{\n${body}\n}`).join("\n"))};
    export const names = ${JSON.stringify(names)};
    export const examples = [${runs.join(",\n")}];
  `;
}

/** The blocks behind a docstring's `@example`. */
function examplesOf({ name, at, doc }: Declared): Example[] {
  return [...doc.matchAll(/^@example\n```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => ({
    name,
    at,
    code,
  }));
}
