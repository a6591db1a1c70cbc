/** What the platform does that we have found a way around: where it changes, the way round can go. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

const MIB = 1_048_576;

describe("an object's database", () => {
  it("can't be made smaller by the object itself, so a local server does that when it starts", async () => {
    await runInDurableObject(env.COUNTER.getByName("platform: vacuum"), (_, { storage: { sql } }) => {
      for (const statement of ["VACUUM", "PRAGMA incremental_vacuum(1)", "PRAGMA auto_vacuum = 2"]) {
        expect(() => sql.exec(statement)).toThrow();
      }
    });
  });

  it("does not count what is free in its size", async () => {
    await runInDurableObject(env.COUNTER.getByName("platform: free pages"), (_, { storage: { sql } }) => {
      sql.exec("CREATE TABLE t (x)");
      sql.exec("INSERT INTO t VALUES (?)", new Uint8Array(MIB).buffer);
      expect(sql.databaseSize).toBeGreaterThan(MIB);
      sql.exec("DELETE FROM t");
      expect(sql.databaseSize).toBeLessThan(MIB / 10);
    });
  });
});
