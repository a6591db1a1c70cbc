/** The files that exports write. */

import { lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Kv } from "../../src/client/index.ts";
import { kv } from "./support/cli.ts";
import { server } from "./support/shared-server.ts";
import { temporaryFolder } from "./support/server.ts";

const NAME = "cli-files";
const here = { url: server.http };
const folder = temporaryFolder();
const service = new Kv({ url: server.http });
let whole: string;

beforeAll(async () => {
  await service.create(NAME);
  const puts = Array.from(
    { length: 500 },
    (_, n) => ({ op: "put", key: `k${n}`, value: "x".repeat(500) }) as const,
  );
  await service.bucket(NAME).batch(puts);
  whole = (await kv(here, "export", NAME)).out;
});
afterAll(() => folder.remove());

describe("an export to a file", () => {
  it("touches nothing else that is there, whatever it is called", async () => {
    const [file, victim] = [join(folder.path, "data"), join(folder.path, "victim")];
    await writeFile(`${file}.part`, "mine");
    await writeFile(victim, "mine");
    await symlink(victim, `${file}.tmp`);
    expect((await kv(here, "export", NAME, file)).code).toBe(0);
    expect(await readFile(file, "utf8")).toBe(whole);
    expect(await readFile(`${file}.part`, "utf8")).toBe("mine");
    expect(await readFile(victim, "utf8")).toBe("mine");
    expect((await readdir(folder.path)).toSorted()).toEqual(["data", "data.part", "data.tmp", "victim"]);
  });

  it("is whole when several write it at once", async () => {
    const file = join(folder.path, "contended");
    const ran = await Promise.all(Array.from({ length: 4 }, () => kv(here, "export", NAME, file)));
    expect(ran.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(await readFile(file, "utf8")).toBe(whole);
  });

  it("goes where a link leads, also where nothing is yet", async () => {
    const [link, target] = [join(folder.path, "link"), join(folder.path, "linked")];
    await symlink("linked", link);
    await kv(here, "export", NAME, link);
    expect(await readFile(target, "utf8")).toBe(whole);
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
  });

  it("leaves a file's permissions as they are", async () => {
    const file = join(folder.path, "private");
    await writeFile(file, "", { mode: 0o600 });
    await kv(here, "export", NAME, file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});

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
