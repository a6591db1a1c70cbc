/** Async generators whose `return` takes effect while they wait. */

import { relay } from "./deadline.ts";

const ENDED = Symbol("ended by its reader");

/**
 * A generator whose `return` ends it at once. The `return` of an ordinary one waits until the pending `await` is over,
 * which for a stream of changes may take days.
 */
export function endable<T>(
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => AsyncGenerator<T, void, void>,
): AsyncGenerator<T, void, void> {
  const own = new AbortController();
  const generator = relayed(signal, own, run);
  const end = generator.return.bind(generator);
  generator.return = (value) => {
    own.abort(ENDED);
    return end(value);
  };
  return generator;
}

async function* relayed<T>(
  signal: AbortSignal | undefined,
  own: AbortController,
  run: (signal: AbortSignal) => AsyncGenerator<T, void, void>,
): AsyncGenerator<T, void, void> {
  signal?.throwIfAborted();
  const release = relay(signal, own);
  try {
    for await (const item of run(own.signal)) {
      own.signal.throwIfAborted(); // items that arrived before the abort are dropped, too
      yield item;
    }
  } catch (error) {
    if (error !== ENDED) throw error;
  } finally {
    release();
  }
}
