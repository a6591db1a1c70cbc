/** A body as it arrives. */

import { KvError } from "../model/errors.ts";

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

/** How long nothing may come of what is refused, in milliseconds: whoever has nothing to send can hear the answer. */
const MAX_SILENCE_MS = 1_000;

/** What comes soon; undefined if nothing does. */
export async function soon<T>(promise: Promise<T>): Promise<T | undefined> {
  const silence = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => silence.resolve(undefined), MAX_SILENCE_MS);
  try {
    return await Promise.race([promise, silence.promise]);
  } finally {
    clearTimeout(timer);
  }
}
