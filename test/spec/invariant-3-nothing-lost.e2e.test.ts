/** kill -9 under load: what was acknowledged is there. */

import { afterAll, describe, expect, inject, it } from "vitest";
import { startServer, temporaryFolder, type RunningServer } from "../e2e/support/server.ts";
import { openTcp } from "../e2e/support/transports.ts";

const ROUNDS = inject("sizes").kills;
const WRITERS = 4;
/** Acknowledged writes of a round after which the server is killed. */
const WRITES_BEFORE_KILL = 150;

const folder = temporaryFolder();
afterAll(() => folder.remove());

describe("invariant 3: nothing lost", () => {
  it(`every acknowledged write is there after each of ${ROUNDS} kills under ${WRITERS} writers`, async () => {
    const acknowledged = new Map<string, string>();
    const maybe = new Map<string, string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const server = await startServer({ data: folder.path });
      await verify(server, acknowledged, maybe);
      let writes = 0;
      const { promise: enough, resolve } = Promise.withResolvers<void>();
      const writers = Array.from({ length: WRITERS }, async (_, writer) => {
        const over = writer % 2 === 0 ? overTcp : overHttp;
        await over(
          server,
          `w${writer}`,
          (key) => {
            const value = `${round}-${writes}`;
            maybe.set(key, value);
            return {
              value,
              acknowledge: () => {
                acknowledged.set(key, value);
                maybe.delete(key);
                writes += 1;
                if (writes >= WRITES_BEFORE_KILL) resolve();
              },
            };
          },
          round,
        );
      });
      await enough;
      await server.killAll();
      await Promise.all(writers);
    }
    const server = await startServer({ data: folder.path });
    await verify(server, acknowledged, maybe);
    await server.stop();
    console.log(`${ROUNDS} kills under ${WRITERS} writers: ${acknowledged.size} acknowledged writes, 0 lost`);
    expect(acknowledged.size).toBeGreaterThanOrEqual(ROUNDS * WRITES_BEFORE_KILL);
  });
});

type Begin = (key: string) => { readonly value: string; readonly acknowledge: () => void };

/** Writes, one command at a time, until the connection breaks. */
async function overTcp(
  { tcpPort }: RunningServer,
  bucket: string,
  begin: Begin,
  round: number,
): Promise<void> {
  const { ask } = await openTcp(tcpPort);
  try {
    await ask(`CREATE ${bucket}\n`, 1);
    for (let write = 0; ; write += 1) {
      const key = `${round}-${write}`;
      const { value, acknowledge } = begin(`${bucket} ${key}`);
      if ((await ask(`PUT ${bucket} ${key} ${value}\n`, 1)) === "OK\r\n") acknowledge();
    }
  } catch {
    // The server was killed.
  }
}

async function overHttp({ http }: RunningServer, bucket: string, begin: Begin, round: number): Promise<void> {
  try {
    await fetch(`${http}/v1/buckets/${bucket}`, { method: "PUT" });
    for (let write = 0; ; write += 1) {
      const key = `${round}-${write}`;
      const { value, acknowledge } = begin(`${bucket} ${key}`);
      const { ok } = await fetch(`${http}/v1/buckets/${bucket}/keys/${key}`, { method: "PUT", body: value });
      if (ok) acknowledge();
    }
  } catch {
    // The server was killed.
  }
}

/** Every acknowledged write is there, as it was; one that was under way is there or not, but never something else. */
async function verify(
  server: RunningServer,
  acknowledged: ReadonlyMap<string, string>,
  maybe: ReadonlyMap<string, string>,
): Promise<void> {
  const { ask, close } = await openTcp(server.tcpPort);
  const keys = [...acknowledged.keys()];
  if (keys.length > 0) {
    const found = await ask(keys.map((key) => `GET ${key}\n`).join(""), keys.length * 2);
    expect(found).toBe(keys.map((key) => `${acknowledged.get(key)}\r\nOK\r\n`).join(""));
  }
  for (const [key, value] of maybe) {
    expect(["\r\nOK\r\n", `${value}\r\nOK\r\n`]).toContain(await ask(`GET ${key}\n`, 2));
  }
  close();
}
