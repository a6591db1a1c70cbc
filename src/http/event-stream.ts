/**
 * A response of Server-Sent Events. Its flow control:
 *
 * - Every write is queued as text, in order, and encoded to bytes when it is its turn.
 * - Characters that the client has not read count against a window of the stream and a budget of the isolate. When a
 *   window is full, the stream ends, and the client can resume after the last event's id.
 * - A heartbeat is written when nothing waits: it shows both sides that the connection works.
 * - The end comes after all that was queued. A client that does not read within 10 seconds is aborted.
 */

import type { KeepAlive } from "../directory/directory.ts";
import { Budget } from "../lib/budget.ts";
import { connections, type Place } from "../lib/connections.ts";
import { FlowWindow } from "../lib/flow-window.ts";
import { SSE_HEARTBEAT, sseBegin, sseEvent } from "../lib/sse.ts";
import { tooManyConnections } from "../model/errors.ts";

export interface EventStreamOptions {
  /** Time between two heartbeats, in milliseconds. */
  readonly heartbeatMs: number;
  readonly keepAlive: KeepAlive;
  /** Called once, when either side ends the stream. */
  readonly closed: () => void;
  /** Called when the client has read this many more characters. */
  readonly taken?: (characters: number) => void;
}

/** Unread characters: `each` stream may have as many, and `all` streams of the isolate together. */
const unread = new Budget({ each: 4 * 1_048_576, all: 48 * 1_048_576, share: 65_536 });

/** How long a client may take to read the rest of a closed stream, in milliseconds. */
const LAST_WORD_MS = 10_000;

const HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  // Otherwise nginx would buffer events.
  "X-Accel-Buffering": "no",
};

const encoder = new TextEncoder();

/** `Last-Event-ID`; null if it is absent or empty. Browsers send an empty one before they have received an event. */
export function lastEventId({ headers }: Request): string | null {
  return headers.get("Last-Event-ID") || null;
}

export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #place: Place;
  readonly #stream = new IdentityTransformStream();
  readonly #writer = this.#stream.writable.getWriter();
  readonly #window = new FlowWindow(unread);
  readonly #heartbeat: ReturnType<typeof setInterval>;
  /** Resolves when all previous writes are done. */
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
    // No heartbeat while other text waits.
    this.#heartbeat = setInterval(() => {
      if (this.#window.unacked === 0) this.write(SSE_HEARTBEAT);
    }, options.heartbeatMs);
  }

  /** Sends an id without an event: the position from which a client resumes if no event follows. */
  begin(id: string): void {
    this.write(sseBegin(id));
  }

  /** Sends an event; the data as JSON. */
  send({ id, event, data }: { readonly id: string; readonly event: string; readonly data: unknown }): void {
    this.write(sseEvent(event, id, JSON.stringify(data)));
  }

  /** Writes text in the format of the stream. Closes the stream if its window is full. */
  write(text: string): void {
    if (this.#closed) return;
    const kept = this.#window.sent(text.length);
    this.#written = this.#written.then(() => this.#write(text));
    if (!kept) this.close();
  }

  /** Ends the stream after all queued text. A client that does not read is aborted after {@link LAST_WORD_MS}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#heartbeat);
    this.#place.leave();
    this.#options.closed();
    const abort = setTimeout(() => void this.#writer.abort().catch(() => undefined), LAST_WORD_MS);
    const end = async (): Promise<void> => {
      await this.#written;
      await this.#writer.close().catch(() => undefined);
      clearTimeout(abort);
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
