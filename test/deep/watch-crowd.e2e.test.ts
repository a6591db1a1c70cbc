/** Many watchers of one bucket, over both of their transports. */

import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { startServer, type RunningServer } from "../e2e/support/server.ts";
import { batch, create, put, revisionOf, take, upTo, watch, watchSocket } from "../e2e/support/watchers.ts";

const WATCHERS = inject("sizes").watchers;

let server: RunningServer;
beforeAll(async () => {
  // What shows that a stream is alive comes in between.
  server = await startServer({ environment: { KV_HEARTBEAT_MS: "100" } });
});
afterAll(() => server.stop());

describe(`${WATCHERS} watchers of one bucket`, () => {
  it("each hear every one of a thousand changes once, in order", { timeout: 180_000 }, async () => {
    const bucket = await create("crowd", server);
    const before = await server.memory();
    const streams = await Promise.all(upTo(WATCHERS / 2).map(() => watch(bucket)));
    const sockets = await Promise.all(upTo(WATCHERS / 2).map(() => watchSocket(bucket)));
    const watching = await server.memory();
    const heard = Promise.all([
      ...streams.map(async (stream) => (await take(stream, 1_000)).map(revisionOf)),
      ...sockets.map(async ({ heard: until }) => (await until(1_000)).map(({ revision }) => revision)),
    ]);
    // Ten times ninety at once and ten by themselves.
    for (let round = 0; round < 10; round += 1) {
      await batch(
        bucket,
        upTo(90).map((n) => `batch/${round}/${n}`),
        "v".repeat(100),
      );
      for (const n of upTo(10)) await put(bucket, `single/${n}`, `${round}`);
    }
    const all = await heard;
    const after = await server.memory();
    console.log(
      `memory of the engine: ${before.toFixed(0)} MB, with ${WATCHERS} watchers ${watching.toFixed(0)} MB, after 1,000 changes ${after.toFixed(0)} MB`,
    );
    expect(all).toHaveLength(WATCHERS);
    const expected = upTo(1_000);
    for (const revisions of all) expect(revisions).toEqual(expected);
    for (const { socket } of sockets) socket.close();
    for (const stream of streams) await stream.close();
  });
});
