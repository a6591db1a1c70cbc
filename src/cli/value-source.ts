/** The value for `kv put`, from the command line or from stdin. */

import type { Command } from "commander";
import { ExitError, EXIT, usage } from "./exit.ts";
import { processOf } from "./process.ts";
import { openStdin } from "./stdin.ts";

/** The service's limit for a value, in bytes. */
const MAX_VALUE_BYTES = 25 * 1_048_576;

export interface PutValue {
  readonly value: Uint8Array;
  /** The default content type. */
  readonly type: string;
}

/** @throws {ExitError} if there is no value, or it is too large */
export async function valueFrom(command: Command, text: string | undefined): Promise<PutValue> {
  if (text !== undefined && text !== "-") {
    return { value: new TextEncoder().encode(text), type: "text/plain; charset=utf-8" };
  }
  if (text === undefined && processOf(command).stdin.isTTY) {
    throw usage("The value is missing. To type it in, give - as the value, and end it with Ctrl-D.");
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of openStdin(command) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    // Check here, and not only in the service: stdin may be endless.
    if (size > MAX_VALUE_BYTES) {
      throw new ExitError(
        EXIT.refused,
        `kv: A value has at most ${MAX_VALUE_BYTES} bytes. Nothing was sent.`,
      );
    }
    chunks.push(chunk);
  }
  return { value: Buffer.concat(chunks), type: "application/octet-stream" };
}
