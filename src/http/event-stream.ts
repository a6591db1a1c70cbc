/** A response of Server-Sent Events, written as fast as the client reads. */

import type { KeepAlive } from "../directory/directory.ts";
import { Budget } from "../lib/budget.ts";
import { connections, type Place } from "../lib/connections.ts";
import { FlowWindow } from "../lib/flow-window.ts";
import { SSE_HEARTBEAT, sseBegin, sseEvent } from "../lib/sse.ts";
import { tooManyConnections } from "../model/errors.ts";

/** Characters that may wait for a client; one that is further behind is cut off, and can resume. For all of the isolate: */
const unread = new Budget({ each: 4 * 1_048_576, all: 48 * 1_048_576, share: 65_536 });

/** How long a client may take to read the end of the stream, in milliseconds. */
const LAST_WORD_MS = 10_000;

const HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  // nginx would keep events back until it has a buffer full of them.
  "X-Accel-Buffering": "no",
};

const encoder = new TextEncoder();

/** The id behind which a client goes on; null if it has none. Browsers send an empty one before they have heard any. */
export function lastEventId({ headers }: Request): string | null {
  return headers.get("Last-Event-ID") || null;
}

export interface EventStreamOptions {
  /** Between two signs of life, in milliseconds. */
  readonly heartbeatMs: number;
  readonly keepAlive: KeepAlive;
  /** Called once, whichever side ends the stream. */
  readonly closed: () => void;
  /** Called when the client has taken so many characters. */
  readonly taken?: (characters: number) => void;
}

export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #place: Place;
  readonly #stream = new IdentityTransformStream();
  readonly #writer = this.#stream.writable.getWriter();
  readonly #window = new FlowWindow(unread);
  readonly #heartbeat: ReturnType<typeof setInterval>;
  /** All that was written before: what waits is text, and is made into bytes when it is its turn. */
  #written = Promise.resolve();
  #closed = false;

  /** @throws {KvError} `too_many_connections` */
  constructor(options: EventStreamOptions) {
    const place = connections.enter({ goodbye: () => this.close() });
    if (place === undefined) throw tooManyConnections();
    this.#place = place;
    this.#options = options;
    const ended = this.#writer.closed.catch(() => this.close());
    options.keepAlive(ended.then(() => undefined));
    // Where something waits to be taken, that is sign of life enough.
    this.#heartbeat = setInterval(() => {
      if (this.#window.unacked === 0) this.write(SSE_HEARTBEAT);
    }, options.heartbeatMs);
  }

  /** Where a client that hears nothing more would go on: an id without an event. */
  begin(id: string): void {
    this.write(sseBegin(id));
  }

  send({ id, event, data }: { readonly id: string; readonly event: string; readonly data: unknown }): void {
    this.write(sseEvent(event, id, JSON.stringify(data)));
  }

  /** Writes text of the stream's format. */
  write(text: string): void {
    if (this.#closed) return;
    const kept = this.#window.sent(text.length);
    this.#written = this.#written.then(() => this.#write(text));
    if (!kept) this.close();
  }

  /** Ends the stream behind all that was written: the client hears the last of it, unless it reads nothing at all. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#heartbeat);
    this.#place.leave();
    this.#options.closed();
    const givenUp = setTimeout(() => void this.#writer.abort().catch(() => undefined), LAST_WORD_MS);
    const end = async (): Promise<void> => {
      await this.#written;
      await this.#writer.close().catch(() => undefined);
      clearTimeout(givenUp);
      this.#window.acked();
    };
    this.#options.keepAlive(end());
  }

  response(): Response {
    return new Response(this.#stream.readable, { headers: HEADERS });
  }

  async #write(text: string): Promise<void> {
    try {
      await this.#writer.write(encoder.encode(text));
      this.#options.taken?.(text.length);
    } catch {
      this.close(); // the client has gone
    }
    this.#window.acked(text.length);
  }
}
