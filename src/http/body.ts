/** Request bodies, read up to a limit. */

import { KvError } from "../errors.ts";
import { MAX_DISCARDED_BYTES } from "../limits.ts";
import { brokenOff, received } from "../received.ts";

/** Bytes in the longest text of commands, or JSON, that is taken in one request. */
const MAX_TEXT_BYTES = 16 * 1_048_576;

/**
 * The body as bytes of text.
 * @throws {KvError} `body_too_large`
 */
export async function readText(request: Request): Promise<ArrayBuffer> {
  const announced = announcedLength(request);
  if (announced !== undefined && announced <= MAX_TEXT_BYTES) return wholeBody(request);
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of received(bodyOf(request))) {
    size += piece.byteLength;
    if (size > MAX_DISCARDED_BYTES) break;
    if (size <= MAX_TEXT_BYTES) pieces.push(piece);
  }
  if (size <= MAX_TEXT_BYTES) return new Blob(pieces).arrayBuffer();
  throw new KvError("body_too_large", `This body has at most ${MAX_TEXT_BYTES} bytes. Send it in parts.`);
}

/** The body, of an announced length that fits. @throws {KvError} `upload_lost` */
export async function wholeBody(request: Request): Promise<ArrayBuffer> {
  try {
    return await request.arrayBuffer();
  } catch {
    throw brokenOff();
  }
}

/** The length that the request says its body has, if it does. */
export function announcedLength(request: Request): number | undefined {
  const length = request.headers.get("Content-Length");
  return length === null ? undefined : Number(length);
}

export function bodyOf(request: Request): AsyncIterable<Uint8Array> {
  return (request.body ?? []) as AsyncIterable<Uint8Array>;
}

/**
 * Reads what nobody has read, so that the answer can be heard: a sender who is cut off in the middle of its body hears of
 * a broken pipe instead. Not without end.
 */
export async function discardBody(request: Request): Promise<void> {
  if (request.body === null || request.bodyUsed) return;
  let size = 0;
  try {
    for await (const piece of bodyOf(request)) {
      size += piece.byteLength;
      if (size > MAX_DISCARDED_BYTES) return;
    }
  } catch {
    // The sender has gone, and hears nothing.
  }
}
