/** A folder of exports: a file for each bucket, and the list of them. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
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
