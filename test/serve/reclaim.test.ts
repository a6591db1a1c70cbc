/** Disk that a start gives back. */

import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { inspect } from "../../src/serve/object-files.ts";
import { reclaim } from "../../src/serve/reclaim.ts";
import { temporaryFolder } from "../e2e/support/server.ts";

const temporary = temporaryFolder();
afterAll(() => temporary.remove());

const MIB = 1_048_576;
/** Long enough for all. */
const AT_LEISURE = { clock: () => 0, withinMs: 60_000 };

function folderOf(name: string): string {
  const folder = join(temporary.path, name);
  mkdirSync(folder);
  return folder;
}

/** An object's id, as a file name has it. */
const idOf = (digit: string): string => digit.repeat(64);

/** An object's database as the engine leaves it behind. */
function database(folder: string, name: string, fill: (sql: DatabaseSync) => void = () => undefined): string {
  const path = join(folder, `${name}.sqlite`);
  const sql = new DatabaseSync(path);
  sql.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x); DROP TABLE t; VACUUM");
  fill(sql);
  sql.close();
  return path;
}

/** What the table of a database holds. */
function stored(path: string): unknown {
  const sql = new DatabaseSync(path);
  try {
    return sql.prepare("SELECT hex(x) AS x FROM t").all();
  } finally {
    sql.close();
  }
}

const names = (folder: string): string[] => readdirSync(folder).toSorted();

describe("the disk of objects", () => {
  it("is freed if they hold nothing, and no other file is touched", () => {
    const folder = folderOf("empty");
    for (const digit of ["a", "b"]) database(folder, idOf(digit));
    writeFileSync(join(folder, `${idOf("9")}.sqlite`), "");
    database(folder, idOf("c"), (sql) => sql.exec("CREATE TABLE t (x)"));
    database(folder, "metadata");
    const kept = ["0123.sqlite", `${idOf("A")}.sqlite`, `${idOf("d")}.sqlite.bak`];
    for (const name of kept) writeFileSync(join(folder, name), "");
    writeFileSync(join(folder, `${idOf("e")}.sqlite`), "not a database, but in use");
    expect(reclaim([folder, join(temporary.path, "nowhere")], AT_LEISURE)).toMatchObject({ removed: 3 });
    expect(names(folder)).toEqual(
      [...kept, `${idOf("c")}.sqlite`, `${idOf("e")}.sqlite`, "metadata.sqlite"].toSorted(),
    );
  });

  it("is freed if all they hold is the mark of an end, and not if there is any other key", () => {
    const folder = folderOf("marked");
    const keys =
      (...all: readonly string[]) =>
      (sql: DatabaseSync): void => {
        sql.exec("CREATE TABLE _cf_KV (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID");
        for (const key of all) sql.prepare("INSERT INTO _cf_KV VALUES (?, x'00')").run(key);
      };
    const mark = ["otp:ended", "otp:timer/otp:forget", "otp:versions"];
    database(folder, idOf("a"), keys(...mark));
    database(folder, idOf("b"), keys(...mark, "otp:notice/000000000001"));
    database(folder, idOf("c"), (sql) => {
      keys(...mark)(sql);
      sql.exec("CREATE TABLE entries (key)");
    });
    expect(reclaim([folder], AT_LEISURE)).toMatchObject({ removed: 1 });
    expect(names(folder)).toEqual([`${idOf("b")}.sqlite`, `${idOf("c")}.sqlite`]);
  });

  it("is kept if a log was not yet applied: the file alone looks empty", () => {
    const folder = folderOf("log");
    const path = join(folder, `${idOf("a")}.sqlite`);
    database(folder, idOf("a"));
    const sql = new DatabaseSync(path);
    sql.exec("PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x); INSERT INTO t VALUES ('acknowledged')");
    expect(statSync(path).size).toBe(4_096);
    expect(inspect(path)).toBeUndefined();
    expect(reclaim([folder], AT_LEISURE)).toEqual({ removed: 0, compacted: 0, bytes: 0 });
    expect(sql.prepare("SELECT x FROM t").get()).toEqual({ x: "acknowledged" });
    sql.close();
  });

  it("is compacted if most of it is free, and their data is kept", () => {
    const folder = folderOf("free");
    const fill = (kept: number, gone: number) => (sql: DatabaseSync) => {
      sql.exec("CREATE TABLE t (x); CREATE TABLE u (x)");
      for (const [table, mebibytes] of [
        ["t", kept],
        ["u", gone],
      ] as const) {
        for (let n = 0; n < mebibytes; n += 1) sql.exec(`INSERT INTO ${table} VALUES (randomblob(${MIB}))`);
      }
      sql.exec("DELETE FROM u");
    };
    const [much, little, half] = [
      database(folder, idOf("a"), fill(1, 8)),
      database(folder, idOf("b"), fill(0, 3)),
      database(folder, idOf("c"), fill(9, 8)),
    ] as const;
    const before = stored(much);
    expect(reclaim([folder], AT_LEISURE)).toMatchObject({ removed: 0, compacted: 1 });
    expect(statSync(much).size).toBeLessThan(2 * MIB);
    expect(statSync(little).size).toBeGreaterThan(3 * MIB);
    expect(statSync(half).size).toBeGreaterThan(17 * MIB);
    expect(stored(much)).toEqual(before);
  });

  it("is left to the next start if there is no time", () => {
    const folder = folderOf("late");
    for (const digit of ["a", "b", "c", "d"]) database(folder, idOf(digit));
    let now = 0;
    const clock = (): number => (now += 1);
    expect(reclaim([folder], { clock, withinMs: 3 })).toMatchObject({ removed: 2 });
    expect(reclaim([folder], AT_LEISURE)).toMatchObject({ removed: 2 });
  });
});
