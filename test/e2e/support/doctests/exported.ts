/** What a module exports, with its docstrings: found in the sources, through all re-exports. */

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A node of the syntax tree (ESTree, with TypeScript's nodes), of which these members are used. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly name?: string;
  readonly value?: unknown;
  readonly body?: Node | readonly Node[] | null;
  readonly id?: Node | null;
  readonly init?: Node | null;
  readonly key?: Node;
  readonly kind?: string;
  readonly accessibility?: string | null;
  readonly declaration?: Node | null;
  readonly declarations?: readonly Node[];
  readonly source?: Node | null;
  readonly specifiers?: readonly Node[];
  readonly local?: Node;
  readonly imported?: Node;
  readonly exported?: Node | null;
}
export type Parse = (source: string) => Node;

/** A declaration that can be reached under a name, or a method of one. Overloads are one declaration each. */
export interface Declared {
  /** Such as `Bucket`, or `Bucket.get`. */
  readonly name: string;
  readonly kind: "class" | "function" | "value" | "type" | "method";
  /** The interface or class of a method. */
  readonly of?: string;
  /** File and line. */
  readonly at: string;
  /** The docstring's text, without its stars; empty if there is none. */
  readonly doc: string;
}

const KINDS: Readonly<Record<string, Declared["kind"]>> = {
  ClassDeclaration: "class",
  FunctionDeclaration: "function",
  TSDeclareFunction: "function",
  VariableDeclarator: "value",
  TSInterfaceDeclaration: "type",
  TSTypeAliasDeclaration: "type",
};
const METHODS = new Set(["MethodDefinition", "TSMethodSignature"]);

export class Modules {
  readonly #root: string;
  readonly #parse: Parse;
  readonly #modules = new Map<string, { readonly source: string; readonly body: readonly Node[] }>();

  /** @param root the folder that paths begin at */
  constructor(root: string, parse: Parse) {
    this.#root = root;
    this.#parse = parse;
  }

  /** The paths of the modules that were read. */
  get read(): readonly string[] {
    return [...this.#modules.keys()];
  }

  /** @returns everything that the module exports; a declaration that has two names, under both */
  exportsOf(path: string): Declared[] {
    return this.#module(path).body.flatMap((node) => {
      if (node.type === "ExportAllDeclaration") {
        return this.exportsOf(target(path, node.source)).filter(({ name }) => !/^default\b/.test(name));
      }
      if (node.type === "ExportDefaultDeclaration") {
        return this.#local(path, node.declaration?.name ?? "", "default");
      }
      if (node.type !== "ExportNamedDeclaration") return [];
      if (node.declaration) return declaredBy(node).flatMap((own) => this.#declared(path, own, node));
      return (node.specifiers ?? []).flatMap(({ local, exported }) => {
        const [from, to] = [nameOf(local), nameOf(exported)];
        return node.source
          ? this.#exported(target(path, node.source), from, to)
          : this.#local(path, from, to);
      });
    });
  }

  /** What the module exports under a name, under another name. */
  #exported(path: string, name: string, as: string): Declared[] {
    return this.exportsOf(path)
      .filter((own) => own.name === name || own.name.startsWith(`${name}.`))
      .map((own) => ({ ...own, name: as + own.name.slice(name.length) }));
  }

  /** What the module declares or imports under a name, under another name. */
  #local(path: string, name: string, as: string): Declared[] {
    return this.#module(path).body.flatMap((node) => {
      if (node.type === "ImportDeclaration") {
        return (node.specifiers ?? [])
          .filter(({ local }) => nameOf(local) === name)
          .flatMap(({ imported }) => this.#exported(target(path, node.source), nameOf(imported), as));
      }
      return declaredBy(node)
        .filter(({ id }) => id?.name === name)
        .flatMap((own) => this.#declared(path, own, node, as));
    });
  }

  /** A declaration with its methods. @param statement the one that its docstring stands before */
  #declared(path: string, node: Node, statement: Node, name = node.id?.name ?? ""): Declared[] {
    const kind = KINDS[node.type];
    if (kind === undefined)
      throw new Error(`${path} exports ${name}, a ${node.type}, which is not known here.`);
    const own: Declared = { name, kind, ...this.#place(path, statement) };
    // `export const Session = BucketSession`: the class under another name.
    const alias = node.init?.type === "Identifier" ? this.#local(path, node.init.name ?? "", name) : [];
    const { body } = node;
    const members = body && !("length" in body) ? [body.body ?? []].flat() : [];
    const methods = members.filter(isPublicMethod).map((member): Declared => {
      return {
        name: `${name}.${nameOf(member.key)}`,
        kind: "method",
        of: name,
        ...this.#place(path, member),
      };
    });
    return [own, ...methods, ...alias.filter((other) => other.kind === "method")];
  }

  #place(path: string, { start }: Node): Pick<Declared, "at" | "doc"> {
    const before = this.#module(path).source.slice(0, start);
    return { at: `${path}:${before.split("\n").length}`, doc: docstringAtEndOf(before) };
  }

  #module(path: string): { readonly source: string; readonly body: readonly Node[] } {
    let module = this.#modules.get(path);
    if (module === undefined) {
      const source = readFileSync(join(this.#root, path), "utf8");
      module = { source, body: [this.#parse(source).body ?? []].flat() };
      this.#modules.set(path, module);
    }
    return module;
  }
}

/** The declarations of a statement: several, if it is `const a = 1, b = 2`. */
function declaredBy(statement: Node): readonly Node[] {
  const node = statement.declaration ?? statement;
  return node.declarations ?? (node.type in KINDS ? [node] : []);
}

function isPublicMethod({ type, kind, key, accessibility }: Node): boolean {
  if (!METHODS.has(type) || (kind !== undefined && kind !== "method")) return false;
  return key?.type === "Identifier" && accessibility !== "private" && accessibility !== "protected";
}

/** An identifier's name, or, as in `export { a as "b" }`, a text. */
function nameOf(node: Node | null | undefined): string {
  return node?.name ?? String(node?.value);
}

function target(path: string, source: Node | null | undefined): string {
  return join(dirname(path), String(source?.value));
}

/** The text of the docstring that ends a source; empty if it ends with something else. */
export function docstringAtEndOf(source: string): string {
  const text = source.trimEnd();
  const begin = text.lastIndexOf("/**");
  if (begin < 0 || text.indexOf("*/", begin) !== text.length - 2) return "";
  return text
    .slice(begin + 3, -2)
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n")
    .trim();
}
