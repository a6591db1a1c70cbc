/** Files of objects that the running engine has freed. */

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { FreedFiles } from "../../src/serve/freed-files.ts";
import { temporaryFolder } from "../e2e/support/server.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

const WAIT_MS = 180_000;
const pathOf = (id: string): string => join(folder.path, `${id}.sqlite`);
const id = (digit: string): string => digit.repeat(64);

/** The files of objects of which the engine tells in these lots. */
function freedFiles(...lots: string[][]) {
  const time = { now: 0 };
  const files = new FreedFiles({
    folder: folder.path,
    freed: async () => lots.shift() ?? [],
    clock: () => time.now,
  });
  return { files, time };
}

describe("the file of an object that was freed", () => {
  it("is removed after a while, and no other file", async () => {
    for (const digit of ["a", "b", "c"]) writeFileSync(pathOf(id(digit)), "");
    const { files, time } = freedFiles([id("a"), id("d"), "../etc"], [id("b")]);
    expect(await files.check()).toBe(0);
    time.now = WAIT_MS - 1;
    expect(await files.check()).toBe(0);
    time.now = WAIT_MS;
    expect(await files.check()).toBe(1);
    time.now = 2 * WAIT_MS;
    expect(await files.check()).toBe(1);
    expect(["a", "b", "c"].map((digit) => existsSync(pathOf(id(digit))))).toEqual([false, false, true]);
  });

  it("stays while it, or its log, may hold data", async () => {
    const path = pathOf(id("e"));
    const sql = new DatabaseSync(path);
    sql.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE notices (x)");
    const { files, time } = freedFiles([id("e")]);
    await files.check();
    time.now += WAIT_MS;
    expect(await files.check()).toBe(0);
    sql.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    time.now += WAIT_MS;
    expect(await files.check()).toBe(0);
    sql.exec("DROP TABLE notices; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    sql.close();
    time.now += WAIT_MS - 1;
    expect(await files.check()).toBe(0);
    time.now += 1;
    expect(await files.check()).toBe(1);
    expect(existsSync(path)).toBe(false);
  });
});
