/** The value to put: from the command line, or from stdin. */

import { usage } from "./exit.ts";
import { openStdin } from "./stdin.ts";

export interface GivenValue {
  readonly value: Uint8Array;
  /** The content type, unless another is said. */
  readonly type: string;
}

/** @throws {Ended} if there is none */
export async function valueFrom(text: string | undefined): Promise<GivenValue> {
  if (text !== undefined && text !== "-") {
    return { value: new TextEncoder().encode(text), type: "text/plain; charset=utf-8" };
  }
  if (text === undefined && process.stdin.isTTY) {
    throw usage("A value is missing. To type it in, write - and end it with Ctrl-D.");
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of openStdin()) chunks.push(chunk as Uint8Array);
  return { value: Buffer.concat(chunks), type: "application/octet-stream" };
}
