/** Reads the code of a failed call, in the Worker that made it: `durable-kv/binding`. Imports nothing from the service. */

import type { FailureJson as KvFailure } from "../contract/failure.ts";

export type { KvFailure };

/** The service's message, `code: detail`. RPC may have put an error's name before it. */
const MESSAGE = /^(?:\w*Error: )?([a-z0-9_]+): (.*)$/s;
const TOO_LARGE = /^Serialized RPC arguments .*limited to/;
const NOT_CLONED =
  /could not be cloned|could not serialize|not support(?:ed)? serializ|Unable to deserialize/i;

/**
 * The failure in an error that a call through the service binding threw. A Worker in another process, or with an older
 * compatibility date, gets errors without their own members. Only the message always arrives, so this reads the message.
 * @returns undefined if the error is neither from the service nor about the arguments
 * @example
 * ```ts
 * await bucket.put("milk", "1");
 * try {
 *   await bucket.put("milk", "2", { ifNoneMatch: "*" });
 * } catch (error) {
 *   console.log(kvFailure(error)?.code); // precondition_failed
 * }
 * ```
 */
export function kvFailure(error: unknown): KvFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message } = error;
  // Both are thrown before the call reaches the service: a message has at most 32 MiB, and some values can't be cloned.
  if (TOO_LARGE.test(message)) return { code: "value_too_large", detail: message };
  if (error.name === "DataCloneError" || NOT_CLONED.test(message))
    return { code: "value_invalid", detail: message };
  const [, code, detail = ""] = MESSAGE.exec(message) ?? [];
  return code === undefined ? undefined : { code, detail };
}
