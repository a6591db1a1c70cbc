/** A watcher for tests, on the bucket's own object. */

import type { Bucket } from "../../src/bucket/bucket.ts";
import type { WatchEvent } from "../../src/bucket/watch-view.ts";
import type { WatchRequest } from "../../src/model/watch.ts";

export interface Watching {
  /** All that has been heard. */
  readonly events: WatchEvent[];
  /** Waits for so many events, in all. */
  readonly until: (count: number) => Promise<WatchEvent[]>;
  /** Waits for an event of this kind. */
  readonly hears: (event: WatchEvent["event"]) => Promise<WatchEvent>;
  /** Says that all has been read. */
  readonly acknowledge: () => void;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly close: () => void;
}

export interface WatchOptions {
  readonly prefix?: string;
  readonly key?: string;
  readonly values?: boolean;
  readonly snapshot?: boolean;
  readonly since?: WatchRequest["since"];
  /** Whether it says that it reads. */
  readonly reads?: "all" | "nothing";
}

/** @returns a {@link Watching}; or the refusal, or exit, if there is none. */
export async function watch(bucket: DurableObjectStub<Bucket>, options: WatchOptions = {}): Promise<unknown> {
  const { prefix = "", key, values = true, snapshot = false, since, reads = "all" } = options;
  const request: WatchRequest = {
    view: {
      format: "json",
      values,
      ...(key === undefined ? { scope: "prefix", text: prefix } : { scope: "key", text: key }),
    },
    since,
    snapshot,
  };
  const response = await bucket.fetch(
    `http://bucket/watch?request=${encodeURIComponent(JSON.stringify(request))}`,
    { headers: { Upgrade: "websocket" } },
  );
  const { webSocket } = response;
  return webSocket === null ? response.json() : watching(webSocket, reads);
}

/** As {@link watch}, where it is expected to go well. */
export async function watches(bucket: DurableObjectStub<Bucket>, options?: WatchOptions): Promise<Watching> {
  return (await watch(bucket, options)) as Watching;
}

function watching(socket: WebSocket, reads: "all" | "nothing"): Watching {
  const events: WatchEvent[] = [];
  const waiting = new Set<() => void>();
  const when = (ready: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!ready()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  socket.addEventListener("message", ({ data }: { data: unknown }) => {
    events.push(...(JSON.parse(String(data)) as WatchEvent[]));
    if (reads === "all" && socket.readyState === WebSocket.OPEN) socket.send("");
    for (const look of waiting) look();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
  });
  socket.accept();
  return {
    events,
    until: async (count) => {
      await when(() => events.length >= count);
      return events;
    },
    hears: async (kind) => {
      await when(() => events.some(({ event }) => event === kind));
      return events.find(({ event }) => event === kind) as WatchEvent;
    },
    acknowledge: () => socket.send(""),
    closed,
    close: () => socket.close(),
  };
}
