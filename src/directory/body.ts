/**
 * Reading bodies: of requests whole, as text up to a limit, or piece by piece; of values in chunks. A body that breaks off is
 * `upload_lost` everywhere.
 */

import { isRecent } from "../lib/recent.ts";
import { soon } from "../lib/soon.ts";
import { KvError } from "../model/errors.ts";
import { CHUNK_BYTES, MAX_VALUE_BYTES } from "../model/limits.ts";
import { valueTooLarge } from "../model/validators.ts";

/** Bytes in the longest text of commands, or JSON, that is accepted in one request. */
const MAX_TEXT_BYTES = 16 * 1_048_576;
/** How much of a rejected upload is drained, in bytes, and for how long, in milliseconds. */
const MAX_DISCARDED_BYTES = 64 * 1_048_576;
const MAX_DISCARDING_MS = 10_000;

/** Pieces of any size. */
export type Body = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** The body broke off: its sender has gone before the end. */
export class BrokenOff extends KvError {
  constructor() {
    super("upload_lost", "The body broke off. Nothing was changed: send it again.");
  }
}

/** The pieces of a body. @throws {BrokenOff} */
export async function* received<Piece>(
  body: AsyncIterable<Piece> | Iterable<Piece>,
): AsyncGenerator<Piece, void, void> {
  try {
    yield* body;
  } catch (error) {
    if (error instanceof KvError) throw error;
    throw new BrokenOff();
  }
}

/**
 * The body as bytes of text.
 * @throws {KvError} `body_too_large`
 */
export async function readText(request: Request): Promise<ArrayBuffer> {
  const announced = announcedLength(request);
  if (announced !== undefined) {
    checkTextSize(announced);
    const bytes = await wholeBody(request);
    checkTextSize(bytes.byteLength); // over a binding nothing holds a sender to the length that it announced
    return bytes;
  }
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of received(piecesOf(request))) {
    size += piece.byteLength;
    checkTextSize(size);
    pieces.push(piece);
  }
  return new Blob(pieces).arrayBuffer();
}

/**
 * A value as a request carries it. One that fits a chunk is read whole before anything is sent on: a broken upload then
 * changes nothing, and the request can still go to another bucket than the one that it was first sent to.
 * @throws {KvError} `value_too_large`
 */
export async function readValue(request: Request): Promise<ArrayBuffer | Body> {
  const announced = announcedLength(request);
  refuseTooLarge(announced);
  if (announced === undefined || announced > CHUNK_BYTES) return (request.body ?? []) as Body;
  const bytes = await wholeBody(request);
  // Another Worker may have announced less than it sends: over a binding nothing holds it to that.
  return bytes.byteLength <= CHUNK_BYTES ? bytes : [new Uint8Array(bytes)];
}

/** @throws {KvError} `value_too_large`, before anything of the value is read */
export function refuseTooLarge(announced: number | undefined): void {
  if (announced !== undefined && announced > MAX_VALUE_BYTES) throw valueTooLarge();
}

/** The length that the request announces, if it does. */
export function announcedLength(request: Request): number | undefined {
  const length = request.headers.get("Content-Length");
  return length === null ? undefined : Number(length);
}

/** A body has to be sent unencoded and whole. @throws {KvError} `content_encoding_unsupported`, `header_invalid` */
export function refusePartial(headers: Headers): void {
  const encoding = headers.get("Content-Encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    throw new KvError("content_encoding_unsupported", `Send the body as it is, without ${encoding}.`);
  }
  // RFC 9110 §14.5.
  if (headers.get("Content-Range") !== null) {
    throw new KvError("header_invalid", "A body is sent as a whole: Content-Range is not for requests.");
  }
}

/** The pieces of a request's body. When the reader stops, another one may read on. */
export async function* piecesOf({ body }: Request): AsyncGenerator<Uint8Array, void, void> {
  if (body !== null) yield* body.values({ preventCancel: true });
}

/**
 * Drains what is left of a rejected upload, so that the client gets to read the response: one that is cut off in the middle
 * of its body sees a broken pipe instead. Bounded in bytes and time, and it stops after a second of silence (as nginx's
 * `lingering_close`).
 */
export async function discardBody(request: Request): Promise<void> {
  const since = Date.now();
  let size = 0;
  try {
    const pieces = piecesOf(request);
    while (size <= MAX_DISCARDED_BYTES && isRecent(since, Date.now(), MAX_DISCARDING_MS)) {
      const next = await soon(pieces.next());
      if (next === undefined || next.done === true) return;
      size += next.value.byteLength;
    }
  } catch {
    // The sender has gone.
  }
}

/**
 * A value in pieces of {@link CHUNK_BYTES}; the last one may be shorter.
 * @throws {KvError} `value_too_large`; {@link BrokenOff}
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
    reader.releaseLock(); // a refused body is drained by another reader
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

/** The body, of an announced length that fits. @throws {BrokenOff} */
async function wholeBody(request: Request): Promise<ArrayBuffer> {
  try {
    return await request.arrayBuffer();
  } catch {
    throw new BrokenOff();
  }
}

function checkTextSize(bytes: number): void {
  if (bytes <= MAX_TEXT_BYTES) return;
  throw new KvError("body_too_large", `This body has at most ${MAX_TEXT_BYTES} bytes. Send it in parts.`);
}
