/** A folder of exports: a file for each bucket, and the list of them. */

import fc from "fast-check";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fileNameOf } from "../../src/cli/export-folder.ts";
import { Kv } from "../../src/client/index.ts";
import { kv } from "../e2e/support/cli.ts";
import { temporaryFolder } from "../e2e/support/server.ts";
import { server } from "../e2e/support/shared-server.ts";

const here = { url: server.http };

const folder = temporaryFolder();

const service = new Kv({ url: server.http });

afterAll(() => folder.remove());

describe("a folder of exports", () => {
  const list = (buckets: readonly object[]): string => JSON.stringify({ buckets });

  it("with names that Windows takes for devices is read, whichever version wrote it", async () => {
    const old = join(folder.path, "old");
    await mkdir(old);
    await writeFile(join(old, "con.ndjson"), '{"key":"a","value":"1"}\n');
    await writeFile(join(old, "%6eul.ndjson"), '{"key":"b","value":"2"}\n');
    await writeFile(
      join(old, "buckets.json"),
      list([
        { name: "con", file: "con.ndjson", restart: "permanent" },
        { name: "nul", file: "%6eul.ndjson", restart: "permanent" },
      ]),
    );
    expect(await kv(here, "import", "--all", old)).toMatchObject({ code: 0, err: "" });
    expect(await service.bucket("con").entry("a")).toBeDefined();
    expect(await service.bucket("nul").entry("b")).toBeDefined();
  });
});

describe("a bucket's file", () => {
  const printable = fc
    .array(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 1, maxLength: 256 })
    .map((codes) => String.fromCharCode(...codes).replaceAll(/["/]/g, "x"));

  it("is no other bucket's, on no file system, and can be a file's name everywhere", () => {
    fc.assert(
      fc.property(printable, printable, (one, other) => {
        fc.pre(one !== other);
        expect(fileNameOf(one).toLowerCase()).not.toBe(fileNameOf(other).toLowerCase());
        expect(fileNameOf(one)).toMatch(/^[a-z0-9_%][a-z0-9._%~-]{0,220}$/);
      }),
    );
  });

  it("has the bucket's name, where that can be", () => {
    expect(fileNameOf("shopping-list_2.old")).toBe("shopping-list_2.old.ndjson");
    expect(fileNameOf("Shop")).not.toBe(fileNameOf("shop"));
    expect(fileNameOf("a".repeat(255))).not.toBe(fileNameOf("a".repeat(256)));
    expect(fileNameOf("..")).toBe("%2e..ndjson");
  });

  it.each(["con", "nul", "prn", "aux", "com1", "lpt9", "con.old"])(
    "of %s is no device of Windows",
    (name) => {
      expect(fileNameOf(name)).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)\./);
      expect(decodeURIComponent(fileNameOf(name))).toBe(`${name}.ndjson`);
    },
  );

  it("of what only begins like a device is its name", () => {
    expect(fileNameOf("console")).toBe("console.ndjson");
  });
});
