/** Request bodies, read up to a limit. */

import { KvError } from "../errors.ts";
import { MAX_VALUE_BYTES, valueTooLarge } from "../limits.ts";

/** Bytes in the longest text of commands, or JSON, that is taken in one request. */
const MAX_TEXT_BYTES = 16 * 1_048_576;

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
  const announced = request.headers.get("Content-Length");
  if (announced !== null) {
    // Turned away by its announcement alone; a body that is longer than announced is not let through.
    if (Number(announced) > limit) throw tooLarge();
    return request.arrayBuffer();
  }
  if (request.body === null) return new ArrayBuffer();
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of request.body as ReadableStream<Uint8Array>) {
    size += piece.byteLength;
    if (size > limit) throw tooLarge();
    pieces.push(piece);
  }
  return new Blob(pieces).arrayBuffer();
}
