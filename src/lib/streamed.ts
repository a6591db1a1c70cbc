/** A response body that is made while it is sent. */

/**
 * A stream of these pieces; each is made when the ones before it were taken. If making one throws, the stream is aborted,
 * so that the client does not take it for complete.
 *
 * @param keepAlive the context's `waitUntil`: the stream goes on after the request was answered
 */
export function streamed(
  pieces: AsyncIterable<Uint8Array>,
  keepAlive: (sent: Promise<unknown>) => void,
  { readable, writable }: TransformStream<Uint8Array, Uint8Array> = new IdentityTransformStream(),
): ReadableStream<Uint8Array> {
  const writer = writable.getWriter();
  const pump = async (): Promise<void> => {
    try {
      for await (const piece of pieces) await writer.write(piece);
      await writer.close();
    } catch (error) {
      await writer.abort(error).catch(() => undefined);
    }
  };
  keepAlive(pump());
  return readable;
}
