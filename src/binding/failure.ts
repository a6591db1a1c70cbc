/** What a failed call says, for the Worker that has made it: `durable-kv/binding`. Imports nothing of the service's. */

export interface KvFailure {
  /** Stable: the part to decide by. */
  readonly code: string;
  /** What happened this time, and what to do about it. */
  readonly detail: string;
}

/** The service's own; what else may have been put before it, on the way, is the name of an error. */
const MESSAGE = /^(?:\w*Error: )?([a-z0-9_]+): (.*)$/s;
const TOO_LARGE = /^Serialized RPC arguments .*limited to/;
const NOT_CLONED =
  /could not be cloned|could not serialize|not support(?:ed)? serializ|Unable to deserialize/i;

/**
 * The code of an error that a call through the service binding has thrown. A Worker of another process, or with an older
 * compatibility date, gets errors without their own members: what always arrives is the message, and this reads it.
 * @returns undefined, if the error is neither the service's nor about what it was sent
 */
export function kvFailure(error: unknown): KvFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message } = error;
  // Both are met before the service hears of the call: a message has 32 MiB, and some things can't be in one.
  if (TOO_LARGE.test(message)) return { code: "value_too_large", detail: message };
  if (error.name === "DataCloneError" || NOT_CLONED.test(message))
    return { code: "value_invalid", detail: message };
  const [, code, detail = ""] = MESSAGE.exec(message) ?? [];
  return code === undefined ? undefined : { code, detail };
}
