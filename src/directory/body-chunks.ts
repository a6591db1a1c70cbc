/** A body as it comes, in chunks. */

import { CHUNK_BYTES, MAX_VALUE_BYTES, valueTooLarge } from "../model/limits.ts";
import { received } from "./received.ts";

export type Body = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * Pieces of {@link CHUNK_BYTES}; the last one may be shorter.
 * @throws {KvError} `value_too_large`; {@link BrokenOff} where the sender has gone
 */
export async function* chunksOf(body: Body): AsyncGenerator<ArrayBuffer, void, void> {
  let total = 0;
  for await (const chunk of received(body instanceof ReadableStream ? filled(body) : gathered(body))) {
    total += chunk.byteLength;
    if (total > MAX_VALUE_BYTES) throw valueTooLarge();
    yield chunk;
  }
}

/** A stream of bytes fills chunks by itself, without a step for each piece that arrives. */
async function* filled(body: ReadableStream<Uint8Array>): AsyncGenerator<ArrayBuffer, void, void> {
  const reader = byteReader(body);
  if (reader === undefined) return yield* gathered(body);
  try {
    for (;;) {
      const { done, value } = await reader.readAtLeast(CHUNK_BYTES, new Uint8Array(CHUNK_BYTES));
      if (value !== undefined && value.byteLength > 0) yield whole(value);
      if (done || value.byteLength < CHUNK_BYTES) return;
    }
  } finally {
    reader.releaseLock(); // whoever refuses it reads on
  }
}

async function* gathered(body: Body): AsyncGenerator<ArrayBuffer, void, void> {
  let chunk = new Uint8Array(CHUNK_BYTES);
  let size = 0;
  for await (const piece of body) {
    for (let at = 0; at < piece.byteLength;) {
      const part = piece.subarray(at, at + CHUNK_BYTES - size);
      chunk.set(part, size);
      size += part.byteLength;
      at += part.byteLength;
      if (size < CHUNK_BYTES) continue;
      yield chunk.buffer;
      chunk = new Uint8Array(CHUNK_BYTES);
      size = 0;
    }
  }
  if (size > 0) yield whole(chunk.subarray(0, size));
}

/** A stream that another Worker made need not be one of bytes. */
function byteReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

function whole({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}
