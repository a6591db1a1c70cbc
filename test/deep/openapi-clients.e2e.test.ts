/** Clients that are generated from the description by others' generators, as docs/openapi.md says. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blocks, expectedOf } from "../e2e/support/documents.ts";
import { callsOf } from "../e2e/support/generated-calls.ts";
import { workshop, type Workshop } from "../e2e/support/generated.ts";
import { server } from "../e2e/support/shared-server.ts";

const CLIENTS = ["hey", "orval", "fetch"] as const;
const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, n) => n);
const VALUES: Readonly<Record<string, string | Uint8Array>> = {
  text: 'é "1"\n',
  json: '{"a": 1}',
  empty: "",
  bytes: EVERY_BYTE,
  "a/b?%c": "a key that has to be encoded",
};
const LINES = '{"key":"a","value":"1"}\n{"key":"b","base64":"AP8="}\n';

describe("the client of docs/openapi.md", () => {
  let shop: Workshop;
  beforeAll(async () => {
    shop = await workshop(CLIENTS, server.http);
    for (const client of CLIENTS) await shop.write({ [`${client}-calls.ts`]: callsOf(client, server.http) });
    // The first run installs the generators.
  }, 300_000);
  afterAll(() => shop.remove());

  describe.each(CLIENTS)("that %s makes", (client) => {
    const bucket = `openapi-clients-${client}`;
    const url = (key: string): string =>
      `${server.http}/v1/buckets/${bucket}/keys/${encodeURIComponent(key)}`;
    /** Runs statements that may use the client's calls. */
    const run = async (name: string, source: string): Promise<string> => {
      const file = `${client}-${name}.ts`;
      await shop.write({ [file]: `import { put, results } from "./${client}-calls";\n${source}` });
      return shop.run(file);
    };

    it("does in the document's program what the document says", async () => {
      const [source = ""] = await blocks("docs/openapi.md", `ts ${client}`);
      const expected = expectedOf(source);
      expect(expected).toHaveLength(7);
      expect((await shop.run(`${client}-program.ts`)).split("\n")).toEqual(expected);
    });

    it("stores the bytes that it is given, with a content type and without", async () => {
      expect((await fetch(`${server.http}/v1/buckets/${bucket}`, { method: "PUT" })).status).toBe(201);
      const puts = Object.entries(VALUES).flatMap(([key, value]) => {
        const body =
          typeof value === "string" ? JSON.stringify(value) : `new Blob([new Uint8Array([${value.join()}])])`;
        const name = JSON.stringify(key);
        return [
          `await put("${bucket}", ${name}, ${body});`,
          `await put("${bucket}", ${name} + " png", ${body}, "image/png");`,
        ];
      });
      await run("puts", puts.join("\n"));
      for (const [key, value] of Object.entries(VALUES)) {
        for (const name of [key, `${key} png`]) {
          const response = await fetch(url(name));
          expect([name, Buffer.from(await response.arrayBuffer())]).toEqual([name, Buffer.from(value)]);
          if (name !== key) expect(response.headers.get("Content-Type")).toBe("image/png");
        }
      }
    });

    it("imports lines as they are, and gets every call's result", async () => {
      const said = await run(
        "results",
        `console.log(JSON.stringify(await results("${bucket}-results", ${JSON.stringify(LINES)})));`,
      );
      expect(JSON.parse(said)).toMatchObject({
        created: { name: `${bucket}-results`, restart: "permanent" },
        incremented: { value: 1, created: true },
        transaction: { succeeded: true, results: [{ op: "get", found: true, value: "1" }] },
        batch: { results: [{ op: "put", key: "p", created: true }] },
        imported: { lines: 2, imported: 2, failed: 0 },
        keys: {
          keys: [
            { key: "a", value: "1" },
            { key: "b", base64: "AP8=" },
            { key: "n", value: "1" },
            { key: "p", value: "[1]" },
          ],
        },
        failed: { code: "key_not_found", status: 404 },
      });
    });

    it("has types for results and errors that can be used, and not misused", async () => {
      expect(await shop.faultsOf([`${client}-program.ts`, `${client}-calls.ts`])).toBe("");
    });
  });
});
