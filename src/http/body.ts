/** Request bodies, read up to a limit. */

import { KvError } from "../model/errors.ts";
import { MAX_VALUE_BYTES, valueTooLarge } from "../model/limits.ts";
import { isRecent } from "../lib/recent.ts";
import { BrokenOff, received, soon } from "../directory/received.ts";

/** Bytes in the longest text of commands, or JSON, that is taken in one request. */
const MAX_TEXT_BYTES = 16 * 1_048_576;
/** How much of what is refused is read all the same, in bytes, and for how long, in milliseconds. */
const MAX_DISCARDED_BYTES = 64 * 1_048_576;
const MAX_DISCARDING_MS = 10_000;

/**
 * The body as bytes of text.
 * @throws {KvError} `body_too_large`
 */
export async function readText(request: Request): Promise<ArrayBuffer> {
  const announced = announcedLength(request);
  if (announced !== undefined) {
    checkTextSize(announced);
    const bytes = await wholeBody(request);
    checkTextSize(bytes.byteLength); // over a binding nothing holds a sender to what it announced
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

function checkTextSize(bytes: number): void {
  if (bytes <= MAX_TEXT_BYTES) return;
  throw new KvError("body_too_large", `This body has at most ${MAX_TEXT_BYTES} bytes. Send it in parts.`);
}

/** The body, of an announced length that fits. @throws {BrokenOff} */
export async function wholeBody(request: Request): Promise<ArrayBuffer> {
  try {
    return await request.arrayBuffer();
  } catch {
    throw new BrokenOff();
  }
}

/** The length that the request says its body has, if it does. */
export function announcedLength(request: Request): number | undefined {
  const length = request.headers.get("Content-Length");
  return length === null ? undefined : Number(length);
}

/** A body is taken as it is, and whole: not what was packed for the way, nor a part of something. */
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

/** Before anything is made of a value. @throws {KvError} `value_too_large` */
export function refuseTooLarge(announced: number | undefined): void {
  if (announced !== undefined && announced > MAX_VALUE_BYTES) throw valueTooLarge();
}

export function bodyOf(request: Request): AsyncIterable<Uint8Array> {
  return (request.body ?? []) as AsyncIterable<Uint8Array>;
}

/** As {@link bodyOf}; where its reader stops, somebody else may read on. */
export async function* piecesOf({ body }: Request): AsyncGenerator<Uint8Array, void, void> {
  if (body !== null) yield* body.values({ preventCancel: true });
}

/**
 * Reads what nobody has read, so that the answer can be heard: a sender who is cut off in the middle of its body hears of
 * a broken pipe instead. Not without end, and not while nothing comes (as nginx's `lingering_close`).
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
    // The sender has gone, and hears nothing.
  }
}
