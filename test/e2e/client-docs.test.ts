/** The client's types, as its users have them: in the documents' examples, and on their platforms. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blocks } from "./support/documents.ts";
import { project, type Project } from "./support/typed.ts";

let user: Project;
beforeAll(async () => {
  user = await project();
});
afterAll(() => user.remove());

describe.each([
  ["in a browser", { lib: ["es2022", "dom", "dom.asynciterable"], types: [] }],
  ["on Node", { lib: ["es2022"], types: ["node"] }],
])("a program in strict TypeScript, %s", (_, settings) => {
  it.each(["docs/client.md", "README.md"])("is what %s shows", async (path) => {
    const source = (await blocks(path, "ts")).join("\n");
    expect(source).toContain("durable-kv/client");
    expect(await user.faultsOf(source, settings)).toBe("");
  });

  it("may give options that are undefined", async () => {
    const source = `
      import { Kv } from "durable-kv/client";
      const kv = new Kv({ url: "http://localhost", token: undefined, timeoutMs: undefined });
      void kv.bucket("b").put("a", 1, { ttl: undefined, ifMatch: undefined, signal: undefined });
    `;
    expect(await user.faultsOf(source, settings)).toBe("");
  });

  it("may have a WebSocket of its own, and one that the platform doesn't know", async () => {
    const source = `
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
    `;
    expect(await user.faultsOf(source, settings)).toBe("");
  });

  it("is told of what is wrong in it", async () => {
    const source = `
      import { Kv, text } from "durable-kv/client";
      const words = new Kv({ url: "http://localhost" }).bucket("words", { codec: text });
      void words.put("a", 1);
    `;
    expect(await user.faultsOf(source, settings)).toMatch(/^program.ts\(4,\d+\): error TS2345: .*number/);
  });
});
