/** Server-Sent Events (WHATWG HTML §9.2). */

/** Bytes that may wait for a reader; one who is further behind is cut off, and can resume. */
const MAX_WAITING_BYTES = 4 * 1_048_576;
/** The wait before a client comes back, in milliseconds. */
const RETRY_MS = 1_000;

export const EVENT_STREAM_HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
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

  /** `closed` is called once, whoever ends the stream. */
  constructor(heartbeatMs: number, closed: () => void) {
    this.#closed = closed;
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
    if ((this.#controller.desiredSize ?? 0) <= 0) this.close();
  }
}
