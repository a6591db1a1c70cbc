/** A file that is written whole or not at all, as exports are. */

import { lstat, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Kv } from "../../src/client/index.ts";
import { kv } from "../e2e/support/cli.ts";
import { server } from "../e2e/support/shared-server.ts";
import { temporaryFolder } from "../e2e/support/server.ts";

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
