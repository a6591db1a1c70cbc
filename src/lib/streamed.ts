/** A body as it is sent. */

/**
 * A stream of these pieces, each asked for when those before it are taken. Where they can't go on it breaks off: it
 * never just ends.
 *
 * @param keepAlive lets it go on when the request has been answered
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
