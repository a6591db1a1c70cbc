/** A body as it arrives. */

import { KvError } from "./errors.ts";

/** A body whose sender has gone before its end. */
export class BrokenOff extends KvError {
  constructor() {
    super("upload_lost", "The body broke off. Nothing was changed: send it again.");
  }
}

/** @throws {BrokenOff} */
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
