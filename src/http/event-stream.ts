/** Server-Sent Events (WHATWG HTML §9.2). */

import { Budget } from "../lib/budget.ts";
import { connections, type Place } from "../lib/connections.ts";
import { tooManyConnections } from "../model/errors.ts";

/** Bytes that may wait for a reader; one who is further behind is cut off, and can resume. */
const MAX_WAITING_BYTES = 4 * 1_048_576;
/** And those that wait for all readers of the isolate. */
const waiting = new Budget({ each: MAX_WAITING_BYTES, all: 48 * 1_048_576, share: 65_536 });
/** The wait before a client comes back, in milliseconds. */
const RETRY_MS = 1_000;

export const EVENT_STREAM_HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  // nginx would keep events back until it has a buffer full of them.
  "X-Accel-Buffering": "no",
};

/** The id behind which a client goes on; null if it has none. Browsers send an empty one before they have heard any. */
export function lastEventId({ headers }: Request): string | null {
  return headers.get("Last-Event-ID") || null;
}

export interface StreamEvent {
  /** What a client shows in Last-Event-ID to go on behind this event. */
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

const encoder = new TextEncoder();

export class EventStream {
  readonly #body: ReadableStream<Uint8Array>;
  readonly #closed: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  readonly #heartbeat: ReturnType<typeof setInterval>;
  readonly #waiting = waiting.hold();
  readonly #place: Place;

  /**
   * `closed` is called once, whoever ends the stream.
   * @throws {KvError} `too_many_connections`
   */
  constructor(heartbeatMs: number, closed: () => void) {
    this.#closed = closed;
    const place = connections.enter({ goodbye: () => this.close() });
    if (place === undefined) throw tooManyConnections();
    this.#place = place;
    this.#body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        cancel: () => this.close(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: MAX_WAITING_BYTES }),
    );
    // A comment is a sign of life for both sides, and tells us of a client that has gone.
    this.#heartbeat = setInterval(() => this.#write(": still here\n\n"), heartbeatMs);
  }

  /** Where a client that hears nothing more would go on: an id without an event. */
  begin(id: string): void {
    this.#write(`retry: ${RETRY_MS}\nid: ${id}\n\n`);
  }

  send({ id, event, data }: StreamEvent): void {
    this.#write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  close(): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    this.#controller = undefined;
    this.#place.leave();
    this.#waiting.keep(0);
    clearInterval(this.#heartbeat);
    try {
      controller.close();
    } catch {
      // The client was faster.
    }
    this.#closed();
  }

  response(): Response {
    return new Response(this.#body, { headers: EVENT_STREAM_HEADERS });
  }

  #write(text: string): void {
    if (this.#controller === undefined) return;
    this.#controller.enqueue(encoder.encode(text));
    const room = this.#controller.desiredSize ?? 0;
    if (room <= 0 || !this.#waiting.keep(MAX_WAITING_BYTES - room)) this.close();
  }
}
