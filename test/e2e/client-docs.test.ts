/** The client's types, as its users have them: in the documents' examples, and on their platforms. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as client from "doctests:client";
import * as keyv from "doctests:keyv";
import * as unstorage from "doctests:unstorage";
import { blocks } from "./support/documents.ts";
import { project, type Project } from "./support/typed.ts";

let user: Project;
beforeAll(async () => {
  user = await project();
});
afterAll(() => user.remove());

/** The examples of an entry point's docstrings, after declarations of what they use beside its exports. */
function examplesOf(entry: string, { names, source }: typeof client, given: string): string {
  return `import { ${names.join(", ")} } from "durable-kv/${entry}";\n${given}\n${source}`;
}

/** The documents' programs, and some that are not in a document. */
const programs = {
  guide: (await blocks("docs/client.md", "ts")).join("\n"),
  readme: (await blocks("README.md", "ts")).join("\n"),
  client: examplesOf(
    "client",
    client,
    "declare const url: string, kv: Kv, bucket: Bucket<Record<string, any>>, z: any;",
  ),
  // Others' packages are not installed there. The tests of each entry point use their types.
  keyv: examplesOf("keyv", keyv, "declare const url: string, store: KeyvDurableKv, Keyv: any;"),
  unstorage: examplesOf("unstorage", unstorage, "declare const url: string, createStorage: any;"),
  options: `
    import { Kv } from "durable-kv/client";
    const kv = new Kv({ url: "http://localhost", token: undefined, timeoutMs: undefined });
    void kv.bucket("b").put("a", 1, { ttl: undefined, ifMatch: undefined, signal: undefined });
  `,
  socket: `
    import { Kv } from "durable-kv/client";
    class Own {
      addEventListener(type: "open" | "close" | "error" | "message", listener: (event: { data: string }) => void) {
        void [type, listener];
      }
      send(data: string | Uint8Array) {
        void data;
      }
      close(code?: number) {
        void code;
      }
    }
    const kv = new Kv({ url: "http://localhost", WebSocket: Own });
    kv.connect().send("PING");
  `,
  wrong: `
    import { Kv, text } from "durable-kv/client";
    const words = new Kv({ url: "http://localhost" }).bucket("words", { codec: text });
    void words.put("a", 1);
  `,
};

describe.each([
  ["in a browser", { lib: ["es2022", "dom", "dom.asynciterable"], types: [] }],
  ["on Node", { lib: ["es2022"], types: ["node"] }],
])("a program in strict TypeScript, %s", (_, settings) => {
  let faults: ReadonlyMap<string, string>;
  beforeAll(async () => {
    faults = await user.faultsOf(programs, settings);
  });

  it.each([
    ["docs/client.md", "guide"],
    ["README.md", "readme"],
  ] as const)("is what %s shows", (__, name) => {
    expect(programs[name]).toContain("durable-kv/client");
    expect(faults.get(name)).toBe("");
  });

  it.each(["client", "keyv", "unstorage"] as const)("is an example of durable-kv/%s", (name) => {
    expect(programs[name]).toContain("console.log(");
    expect(faults.get(name)).toBe("");
  });

  it("may give options that are undefined", () => {
    expect(faults.get("options")).toBe("");
  });

  it("may have a WebSocket of its own, and one that the platform doesn't know", () => {
    expect(faults.get("socket")).toBe("");
  });

  it("is told of what is wrong in it", () => {
    expect(faults.get("wrong")).toMatch(/^wrong\.ts\(4,\d+\): error TS2345: .*number/);
  });
});
