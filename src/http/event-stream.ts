/**
 * A response of Server-Sent Events. Its flow control:
 *
 * - Every write is queued as text, in order, and encoded to bytes when the client reads it.
 * - Characters that the client has not read count against a window. When it is full, the stream ends, and the client can
 *   resume after the last event's id.
 * - A heartbeat is written when nothing waits: it shows both sides that the connection works.
 * - The end comes after all that was queued. A client that leaves much of it unread is aborted after 10 seconds; a short
 *   rest, as the DOWN of a monitor, waits for its reader.
 */

import type { KeepAlive } from "../directory/directory.ts";
import type { Budget } from "../lib/budget.ts";
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
  /** Limits what the client has not read, in characters. The stream ends when it has more. */
  readonly unread: Budget;
  /** Called when the client has read this many more characters. */
  readonly taken?: (characters: number) => void;
}

/** How long a client may take to read a long rest of a closed stream, in milliseconds. */
const LAST_WORD_MS = 10_000;
/** A rest of a closed stream that may wait for ever, in characters. */
const SHORT_REST = 65_536;
/** Waiting writes are joined to chunks of about this many characters. */
const CHUNK = 65_536;

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
  readonly #window: FlowWindow;
  readonly #heartbeat: ReturnType<typeof setInterval>;
  readonly #body: ReadableStream<Uint8Array>;
  readonly #ended = Promise.withResolvers<void>();
  /** Text that waits for the client to read. */
  #queue: string[] = [];
  /** Characters of the chunk that the client is reading. */
  #reading = 0;
  /** Continues a read that waits for text; does nothing while no read waits. */
  #wake: () => void = () => undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #closed = false;
  #abort: ReturnType<typeof setTimeout> | null = null;

  /** @throws {KvError} `too_many_connections` */
  constructor(options: EventStreamOptions) {
    const place = connections.enter({ goodbye: () => this.close() });
    if (place === undefined) throw tooManyConnections();
    this.#place = place;
    this.#options = options;
    this.#window = new FlowWindow(options.unread);
    this.#body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: (controller) => this.#next(controller),
        cancel: () => this.#end(), // the client has gone
      },
      // A chunk is only asked for when the client reads.
      { highWaterMark: 0 },
    );
    options.keepAlive(this.#ended.promise);
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
    if (this.#closed || text === "") return;
    this.#queue.push(text);
    const kept = this.#window.sent(text.length);
    this.#wake();
    if (!kept) this.close();
  }

  /** Ends the stream after all queued text. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#heartbeat);
    this.#options.closed();
    this.#wake();
    if (this.#window.unacked <= SHORT_REST) return;
    this.#abort = setTimeout(() => this.discard(new Error("The client does not read.")), LAST_WORD_MS);
  }

  /** Ends the stream at once: nothing more is sent. */
  discard(reason?: unknown): void {
    this.#controller?.error(reason);
    this.#end();
  }

  response(): Response {
    return new Response(this.#body, { headers: HEADERS });
  }

  /** Sends the next chunk: the client has read the one before. */
  async #next(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#read();
    if (this.#queue.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#controller === undefined) return; // the client has gone
    const chunk = this.#chunk();
    if (chunk === "") {
      controller.close();
      this.#end();
      return;
    }
    this.#reading = chunk.length;
    controller.enqueue(encoder.encode(chunk));
  }

  /** Takes the next chunk from the queue; "" if it is empty. */
  #chunk(): string {
    let length = 0;
    const count = this.#queue.findIndex((text) => (length += text.length) >= CHUNK) + 1;
    return this.#queue.splice(0, count === 0 ? this.#queue.length : count).join("");
  }

  #read(): void {
    const characters = this.#reading;
    if (characters === 0) return;
    this.#reading = 0;
    this.#window.acked(characters);
    this.#options.taken?.(characters);
  }

  /** Nothing more is sent, whichever side ended it. */
  #end(): void {
    this.#controller = undefined;
    this.close();
    clearTimeout(this.#abort);
    this.#queue = [];
    this.#window.acked();
    this.#place.leave();
    this.#ended.resolve();
  }
}
