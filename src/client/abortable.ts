/** Body streams that stop as soon as a signal is aborted. */

export interface AbortableOptions {
  /** Called once the source has ended or failed, or the reader has cancelled. Not called after an abort. */
  readonly onEnd?: () => void;
  /** Turns an error of the source into the one that the reader gets; by default it is passed on. */
  readonly mapError?: (cause: unknown) => unknown;
}

/**
 * Passes `body` on until the signal is aborted; then the reader gets the signal's reason and the source is cancelled.
 * `fetch` should do this itself, but Deno's ignores the signal once a response has begun, and Node's does not cancel
 * the source of a request body.
 */
export function abortable(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  { onEnd = () => undefined, mapError = (cause) => cause }: AbortableOptions = {},
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        signal.addEventListener("abort", () => {
          // First the error, then the cancel: otherwise the reader could see a normal end of the stream.
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
          controller.error(mapError(error));
        }
        onEnd();
      },
      cancel: (reason) => {
        onEnd();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
