/** Options of a call. */

import type { CallOptions } from "./types.ts";

/** The options that concern the call itself, its signal and its timeout, and the others. */
export function splitOptions<Given extends CallOptions>({
  signal,
  timeoutMs,
  ...rest
}: Given): { readonly call: CallOptions; readonly rest: Omit<Given, keyof CallOptions> } {
  return { call: { signal, timeoutMs }, rest };
}
