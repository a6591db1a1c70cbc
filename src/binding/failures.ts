/** Errors as another Worker gets them. */

import { failureOf } from "../model/errors.ts";

/**
 * An error that crosses a service binding. Only the message is certain to arrive, so it starts with the code:
 * `bucket_not_found: There is no bucket …`. The class sets no `name`: on the way to another process, RPC would put it
 * before the message. `kvFailure` in failure.ts reads the message.
 */
class BindingError extends Error {
  readonly code: string;

  constructor(code: string, detail: string) {
    super(`${code}: ${detail}`);
    this.code = code;
  }
}

/** Runs a call; every error becomes a {@link BindingError}. */
export async function orBindingError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, detail } = failureOf(error);
    throw new BindingError(code, detail);
  }
}
