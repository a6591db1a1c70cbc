/** Streams that end when a signal fires. */

export interface Ways {
  /** Called when it has ended by itself, or its reader cancels it. */
  readonly ended?: () => void;
  /** What a reader is told where it breaks off; what it broke off with, if left out. */
  readonly broken?: (cause: unknown) => unknown;
}

/**
 * The same bytes, until the signal fires; what they come from is told then, and need not go on. `fetch` should see to
 * that itself, but Deno's forgets about the signal of an answer that has begun, and Node's lets a body's source go on.
 */
export function abortable(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  { ended = () => undefined, broken = (cause) => cause }: Ways = {},
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        signal.addEventListener("abort", () => {
          // Before the source ends: this must not look like the end of it.
          controller.error(signal.reason);
          reader.cancel(signal.reason).catch(() => undefined);
        });
      },
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (!done) {
            controller.enqueue(value);
            return;
          }
          controller.close();
        } catch (error) {
          controller.error(broken(error));
        }
        ended();
      },
      cancel: (reason) => {
        ended();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
