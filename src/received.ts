/** A body as it arrives. */

import { KvError } from "./errors.ts";

/** @throws {KvError} `upload_lost`, where its sender has gone before its end */
export async function* received<Piece>(
  body: AsyncIterable<Piece> | Iterable<Piece>,
): AsyncGenerator<Piece, void, void> {
  try {
    yield* body;
  } catch (error) {
    if (error instanceof KvError) throw error;
    throw brokenOff();
  }
}

export function brokenOff(): KvError {
  return new KvError("upload_lost", "The body broke off. Nothing was changed: send it again.");
}
