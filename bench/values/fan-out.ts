/** One bucket's changes with many watchers. */

import { isWholeResponse, rawClient } from "../load/client.ts";
import { BUCKET, makeBucket, type Bench } from "./bench.ts";
import { watch, type Watcher } from "./watcher.ts";

const PUTS = 200;
const CONNECTIONS = 4;
const VALUE_BYTES = 100;
/** Watchers that connect in parallel. */
const AT_ONCE = 50;

export const fanOut = [1, 50, 500].map(withWatchers);

function withWatchers(count: number): Bench {
  return {
    name: `${PUTS} puts on ${CONNECTIONS} connections, ${count} watching`,
    // No minimal counterpart: it would need a log, positions and acks, which is most of ours.
    bare: false,
    prepare: async (server) => {
      await makeBucket(server);
      const watchers: Watcher[] = [];
      while (watchers.length < count) {
        const some = Math.min(AT_ONCE, count - watchers.length);
        const connecting = Array.from({ length: some }, () => watch(server.http, `${BUCKET}/watch`));
        watchers.push(...(await Promise.all(connecting)));
      }
      let put = 0;
      const request = (): string => {
        put += 1;
        const value = String(put).padStart(VALUE_BYTES, "0");
        return `PUT ${BUCKET}/keys/key-${put % 50} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${VALUE_BYTES}\r\n\r\n${value}`;
      };
      const clients = await Promise.all(
        Array.from({ length: CONNECTIONS }, () => rawClient(server.http, request, isWholeResponse)),
      );
      return {
        measure: async () => {
          const last = put + PUTS;
          const all = Promise.all(watchers.map((watcher) => watcher.seen(last)));
          const started = performance.now();
          await Promise.all(
            clients.map(async (client) => {
              for (let sent = 0; sent < PUTS / CONNECTIONS; sent += 1) await client.exchange();
            }),
          );
          const answered = performance.now() - started;
          await all;
          const elapsedMs = performance.now() - started;
          return {
            "puts/s": (PUTS / answered) * 1_000,
            "events/s": ((PUTS * count) / elapsedMs) * 1_000,
            "ms until all watchers have all events": elapsedMs,
          };
        },
      };
    },
  };
}
