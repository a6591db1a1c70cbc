/**
 * Reads request bodies: whole as text, up to a limit, or in pieces; and values in chunks. A body that ends too early is
 * `upload_lost` everywhere.
 */

import { isRecent } from "../lib/recent.ts";
import { soon } from "../lib/soon.ts";
import { KvError } from "../model/errors.ts";
import { CHUNK_BYTES, MAX_VALUE_BYTES } from "../model/limits.ts";
import { valueTooLarge } from "../model/validators.ts";

/** The longest text, commands or JSON, that one request may have, in bytes. */
const MAX_TEXT_BYTES = 16 * 1_048_576;
/** Limits for draining a rejected upload: bytes, and milliseconds. */
const MAX_DISCARDED_BYTES = 64 * 1_048_576;
const MAX_DISCARDING_MS = 10_000;

/** A body as pieces of any size. */
export type Body = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** `upload_lost`: the client closed the connection before the end of the body. */
export class BrokenOff extends KvError {
  constructor() {
    super("upload_lost", "The body ended too early. Nothing was changed: send it again.");
  }
}

/** The pieces of a body; an error of the connection becomes `upload_lost`. @throws {BrokenOff} */
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
 * Reads a whole body of text, at most 16 MiB.
 * @throws {KvError} `body_too_large`, `upload_lost`
 */
export async function readText(request: Request): Promise<ArrayBuffer> {
  const announced = announcedLength(request);
  if (announced !== undefined) {
    checkTextSize(announced);
    const bytes = await wholeBody(request);
    checkTextSize(bytes.byteLength); // over a binding a Worker may send more than its Content-Length
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
 * The value of a request. A value that fits a chunk is read whole before anything is sent to the bucket: an upload that
 * ends too early then changes nothing, and the request can be sent again if the first bucket has ended.
 * @throws {KvError} `value_too_large`, `upload_lost`
 */
export async function readValue(request: Request): Promise<ArrayBuffer | Body> {
  const announced = announcedLength(request);
  refuseTooLarge(announced);
  if (announced === undefined || announced > CHUNK_BYTES) return (request.body ?? []) as Body;
  const bytes = await wholeBody(request);
  // Over a binding a Worker may send more than its Content-Length.
  return bytes.byteLength <= CHUNK_BYTES ? bytes : [new Uint8Array(bytes)];
}

/** Checks the announced length, before the value is read. @throws {KvError} `value_too_large` */
export function refuseTooLarge(announced: number | undefined): void {
  if (announced !== undefined && announced > MAX_VALUE_BYTES) throw valueTooLarge();
}

/** `Content-Length`, in bytes; undefined if it is not sent. */
export function announcedLength(request: Request): number | undefined {
  const length = request.headers.get("Content-Length");
  return length === null ? undefined : Number(length);
}

/** A body must be unencoded and whole. @throws {KvError} `content_encoding_unsupported`, `header_invalid` */
export function refusePartial(headers: Headers): void {
  const encoding = headers.get("Content-Encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    throw new KvError(
      "content_encoding_unsupported",
      `Content-Encoding ${encoding} is not supported. Send the body unencoded.`,
    );
  }
  // RFC 9110 §14.5.
  if (headers.get("Content-Range") !== null) {
    throw new KvError(
      "header_invalid",
      "Content-Range is not supported in requests. Send the whole body without it.",
    );
  }
}

/** The pieces of a request's body. When this reader stops, another reader can continue. */
export async function* piecesOf({ body }: Request): AsyncGenerator<Uint8Array, void, void> {
  if (body !== null) yield* body.values({ preventCancel: true });
}

/**
 * Drains the rest of a rejected upload, so that the client can read the response. A client whose connection is closed
 * while it sends sees a broken pipe instead. Bounded in bytes and time; stops after one second of silence. nginx does
 * the same: `lingering_close`.
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
    // The client closed the connection.
  }
}

/**
 * A value in chunks of {@link CHUNK_BYTES}; the last one may be shorter.
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

/** Chunks of a byte stream: the runtime fills them, which costs no step in JavaScript for each piece. */
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
    reader.releaseLock(); // another reader drains a rejected body
  }
}

/** Chunks of any other body, copied together from its pieces. */
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

/** Undefined if the stream is not a byte stream: another Worker may have made it. */
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

/** Reads a body whose announced length was checked. @throws {BrokenOff} */
async function wholeBody(request: Request): Promise<ArrayBuffer> {
  try {
    return await request.arrayBuffer();
  } catch {
    throw new BrokenOff();
  }
}

function checkTextSize(bytes: number): void {
  if (bytes <= MAX_TEXT_BYTES) return;
  throw new KvError(
    "body_too_large",
    `The body has more than ${MAX_TEXT_BYTES} bytes. Send it in several requests.`,
  );
}
