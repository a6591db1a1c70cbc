/** Request bodies, read up to a limit. */

import { KvError } from "../errors.ts";
import { MAX_VALUE_BYTES, valueTooLarge } from "../limits.ts";

/** Bytes in the longest text of commands, or JSON, that is taken in one request. */
const MAX_TEXT_BYTES = 16 * 1_048_576;

/** Bytes of a body over the limit that are read for the client's sake. */
const MAX_DISCARDED_BYTES = 64 * 1_048_576;

/**
 * The body as a value. Read whole before anything is sent on, so that a broken upload changes nothing and
 * a request can go to another bucket than the one that it was first sent to.
 * @throws {KvError} `value_too_large`
 */
export function readValue(request: Request): Promise<ArrayBuffer> {
  return read(request, MAX_VALUE_BYTES, valueTooLarge);
}

/**
 * The body as bytes of text.
 * @throws {KvError} `body_too_large`
 */
export function readText(request: Request): Promise<ArrayBuffer> {
  return read(
    request,
    MAX_TEXT_BYTES,
    () => new KvError("body_too_large", `This body has at most ${MAX_TEXT_BYTES} bytes. Send it in parts.`),
  );
}

async function read(request: Request, limit: number, tooLarge: () => KvError): Promise<ArrayBuffer> {
  const announced = Number(request.headers.get("Content-Length") ?? Number.NaN);
  if (announced <= limit) return request.arrayBuffer();
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += piece.byteLength;
    // What is over the limit is read but not kept: a client that is still sending when it is turned away
    // would see a broken connection instead of the reason.
    if (size > MAX_DISCARDED_BYTES) break;
    if (size <= limit) pieces.push(piece);
  }
  if (size > limit) throw tooLarge();
  return new Blob(pieces).arrayBuffer();
}
