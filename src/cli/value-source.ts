/** The value to put: from the command line, or from stdin. */

import type { Command } from "commander";
import { Ended, EXIT, usage } from "./exit.ts";
import { processOf } from "./process.ts";
import { openStdin } from "./stdin.ts";

/** What the service takes. */
const MAX_VALUE_BYTES = 25 * 1_048_576;

export interface GivenValue {
  readonly value: Uint8Array;
  /** The content type, unless another is said. */
  readonly type: string;
}

/** @throws {Ended} if there is none, or too much of it */
export async function valueFrom(command: Command, text: string | undefined): Promise<GivenValue> {
  if (text !== undefined && text !== "-") {
    return { value: new TextEncoder().encode(text), type: "text/plain; charset=utf-8" };
  }
  if (text === undefined && processOf(command).stdin.isTTY) {
    throw usage("A value is missing. To type it in, write - and end it with Ctrl-D.");
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of openStdin(command) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    // Not kept until the service says so: there may be no end to it.
    if (size > MAX_VALUE_BYTES) {
      throw new Ended(EXIT.refused, `kv: A value has at most ${MAX_VALUE_BYTES} bytes. Nothing was sent.`);
    }
    chunks.push(chunk);
  }
  return { value: Buffer.concat(chunks), type: "application/octet-stream" };
}
