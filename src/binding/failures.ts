/** Errors as another Worker meets them. */

import { failureOf } from "../model/errors.ts";

/**
 * An error that crosses a service binding. What is certain to arrive is the message, so it begins with the code:
 * `bucket_not_found: There is no bucket …`. It has no name of its own: on the way to another process that would be put
 * before the message. `kvFailure` in failure.ts reads it.
 */
export class BindingError extends Error {
  readonly code: string;

  constructor(code: string, detail: string) {
    super(`${code}: ${detail}`);
    this.code = code;
  }
}

/** Does what a caller asks for; what goes wrong has a code. */
export async function orBindingError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, detail } = failureOf(error);
    throw new BindingError(code, detail);
  }
}
