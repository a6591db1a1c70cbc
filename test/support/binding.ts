/** The service binding, as another Worker has it. */

import { exports } from "cloudflare:workers";
import type { KvBinding } from "../../src/binding/types.ts";

export const kv = exports.KvEntrypoint as unknown as KvBinding;

/** The error with which a call ends. RPC's promises are more than promises, and want to be awaited by hand. */
export async function refusal(work: () => Promise<unknown>): Promise<Error & { readonly code?: string }> {
  try {
    await work();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was refused");
}
