/** Sends lines from a file or a pipe. */

import type { Conversation } from "./conversation.ts";

/** Most bytes of lines without a reply yet; the service closes the connection at four times as many. */
const AHEAD_BYTES = 8 * 1_048_576;
/** Most lines without a reply yet. */
const AHEAD_LINES = 64;
const LINE_END = 0x0a;

/**
 * Sends all lines, and waits for their replies.
 * @param ready resolves when the reader of the replies has caught up
 * @throws {ConnectionError} if the connection ends first
 */
export async function sendLines(
  input: AsyncIterable<Uint8Array>,
  conversation: Conversation,
  ready: () => Promise<void>,
): Promise<void> {
  const ahead: { readonly size: number; readonly replied: Promise<string> }[] = [];
  let bytes = 0;
  const catchUp = async (lines: number, size: number): Promise<void> => {
    while (ahead.length > lines || bytes > size) {
      await ahead[0]?.replied;
      bytes -= ahead.shift()?.size ?? 0;
      await ready();
    }
  };
  for await (const line of linesOf(input)) {
    const replied = conversation.ask(line);
    // A rejection is handled when the reply is awaited, in catchUp.
    replied.catch(() => undefined);
    ahead.push({ size: line.byteLength, replied });
    bytes += line.byteLength;
    await catchUp(AHEAD_LINES, AHEAD_BYTES);
  }
  await catchUp(0, 0);
}

/** Lines without their ends, as bytes, because a value need not be text. */
async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let pieces: Uint8Array[] = [];
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_END); end !== -1; end = chunk.indexOf(LINE_END, start)) {
      yield Buffer.concat([...pieces, chunk.subarray(start, end)]);
      pieces = [];
      start = end + 1;
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start));
  }
  if (pieces.length > 0) yield Buffer.concat(pieces);
}
