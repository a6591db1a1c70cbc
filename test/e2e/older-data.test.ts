/** Data that servers of earlier stages have written (see test/fixtures) is served by today's, and brought up to date. */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { objectFiles } from "../../src/serve/object-files.ts";
import { restore } from "../fixtures/dump.ts";
import { FAR_FUTURE, has, LARGE_BYTES, STAGES } from "../fixtures/stages.ts";
import { startServer, temporaryFolder } from "./support/server.ts";

type Json = Readonly<Record<string, unknown>>;

/** Tables, columns and indexes of the object in whose table of that name there are rows. */
function schemas(folder: string, table: string): string[] {
  const found: string[] = [];
  for (const path of objectFiles(folder)) {
    const database = new DatabaseSync(path, { readOnly: true });
    const columns = database
      .prepare(
        `SELECT s.type, s.name, group_concat(c.name, ' ' ORDER BY c.name) AS columns, iif(s.type = 'index', s.sql, '') AS sql
           FROM sqlite_schema s LEFT JOIN pragma_table_info(s.name) c
          WHERE s.name NOT LIKE '\\_cf%' ESCAPE '\\' AND s.name NOT LIKE 'sqlite%'
          GROUP BY s.type, s.name ORDER BY s.type, s.name`,
      )
      .all();
    database.close();
    if (columns.some(({ name }) => name === table)) found.push(JSON.stringify(columns));
  }
  return found;
}

describe.each(STAGES)("data of the stage $name", ({ name: stage }) => {
  it("is all there, goes on from where it was, and has today's tables", async () => {
    const folder = temporaryFolder();
    restore(join(import.meta.dirname, `../fixtures/${stage}.sql`), folder.path);
    const server = await startServer({ data: folder.path, tcp: false });
    const [liveness, watches, placement] = (["liveness", "watches", "placement"] as const).map((other) =>
      has(stage, other),
    );
    const ask = (path: string, init?: RequestInit): Promise<Response> =>
      fetch(`${server.http}/v1/buckets${path}`, init);
    const json = async (path: string, init?: RequestInit): Promise<Json> =>
      (await (await ask(path, init)).json()) as Json;
    try {
      // Names, and what is known of their buckets.
      const { buckets } = await json("");
      expect((buckets as Json[]).map(({ name }) => name)).toEqual([
        ...(liveness ? ["crate"] : []),
        "pantry",
        ...(placement ? ["placed"] : []),
      ]);
      expect(await json("/pantry")).toMatchObject({
        status: "running",
        restart: "permanent",
        restarts: liveness ? 1 : 0,
        ...(liveness ? { lastReason: "spite" } : {}),
      });
      // A create that says what the bucket may not have been created with: only where that was kept is it known.
      const elsewhere = { method: "PUT", body: JSON.stringify({ locationHint: "apac" }) };
      expect((await ask("/pantry", elsewhere)).status).toBe(placement ? 409 : 200);

      // Every entry, with what is known of it.
      const { keys } = await json("/pantry/keys?values=true");
      expect(keys).toMatchObject([
        { key: "bread", revision: 2, type: "text/plain", value: "rye" },
        { key: "bytes", revision: 3, type: "application/octet-stream", base64: "AP8KDQ==" },
        ...(watches
          ? [
              { key: "large", revision: 9, size: LARGE_BYTES },
              {
                key: "milk",
                revision: 8,
                metadata: { fat: 3.5 },
                expires: FAR_FUTURE,
                value: '{"litres":2}',
              },
              { key: "once", revision: 10, value: "1" },
            ]
          : []),
        { key: "visits", revision: 7, value: "42" },
      ]);
      if (watches) {
        const large = await ask("/pantry/keys/large");
        expect(Buffer.compare(Buffer.from(await large.arrayBuffer()), Buffer.alloc(LARGE_BYTES))).toBe(0);
        const again = { method: "POST", headers: { "Idempotency-Key": '"once"' } };
        const replayed = await ask("/pantry/keys/once/increment", again);
        expect(replayed.headers.get("Idempotency-Replayed")).toBe("true");
        expect(await replayed.json()).toMatchObject({ value: 1, revision: 10 });
      }
      // Changes, as far back as they were kept.
      const changes = await ask(`/pantry/watch?since=${watches ? 6 : 5}`, {
        headers: { Accept: "text/event-stream" },
      });
      expect(changes.status).toBe(watches ? 200 : 410);
      if (watches) {
        let text = "";
        for await (const chunk of changes.body as ReadableStream<Uint8Array>) {
          text += Buffer.from(chunk).toString();
          if (text.includes("visits")) break;
        }
        expect(text).toContain('"revision":7');
      } else await changes.body?.cancel();
      expect(await json("/pantry/keys/visits/increment", { method: "POST" })).toMatchObject({
        value: 43,
        revision: watches ? 11 : 8,
      });

      // A stop that was cut off is finished, and its name free for an empty bucket.
      expect((await ask("/cut-off")).status).toBe(404);
      const states = async (): Promise<unknown> =>
        ((await (await fetch(`${server.http}/v1/registry`)).json()) as Json)["states"];
      await expect.poll(states).toMatchObject({ stopping: 0 });
      expect((await ask("/cut-off", { method: "PUT" })).status).toBe(201);
      expect(await json("/cut-off/keys")).toMatchObject({ keys: [] });

      // An end is heard: the registry still monitors its buckets.
      if (liveness) {
        expect(await json("/crate")).toMatchObject({ restart: "temporary", metadata: { from: "Ann" } });
        expect(await (await ask("/crate/keys/eggs")).text()).toBe("12");
        const signal = { method: "POST", body: JSON.stringify({ reason: "shutdown" }) };
        expect((await ask("/crate/exit", signal)).status).toBe(202);
        expect((await ask("/crate")).status).toBe(404);
      }
    } finally {
      await server.stop();
    }
    // The bucket that was there before and the new one have the same tables; and so have all partitions.
    const buckets = schemas(join(folder.path, "durable-kv-Bucket"), "entries");
    expect(new Set(buckets).size).toBe(1);
    expect(buckets.length).toBeGreaterThan(1);
    expect(new Set(schemas(join(folder.path, "durable-kv-Registry"), "names")).size).toBe(1);
    await folder.remove();
  });
});
