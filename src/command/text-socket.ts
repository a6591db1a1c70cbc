/** A WebSocket that carries the text protocol: one message in, one message back. */

import { hasOverlongLine, linesOf } from "./lines.ts";
import type { Interpreter } from "./run.ts";

/** Characters in the longest message back; the platform's limit is 32 MiB. */
const MAX_REPLY_LENGTH = 16 * 1_048_576;
/** Bytes that may wait for a client that does not read. */
const MAX_BUFFERED_BYTES = 16 * 1_048_576;

/** WebSocket close codes (RFC 6455 §7.4.1, and the IANA registry for 1013). */
export const CLOSE_NORMAL = 1000;
export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_TOO_BIG = 1009;
export const CLOSE_TRY_AGAIN = 1013;

/** Runs the lines of one message and sends all their replies back in one. */
export async function answerMessage(
  socket: WebSocket,
  interpreter: Interpreter,
  message: string | ArrayBuffer,
): Promise<void> {
  const lines = linesOf(typeof message === "string" ? message : new Uint8Array(message));
  if (hasOverlongLine(lines)) {
    send(socket, interpreter.tooLong());
    socket.close(CLOSE_TOO_BIG, "too_long");
    return;
  }
  let text = "";
  for await (const piece of interpreter.run(lines)) {
    text += piece;
    if (text.length > MAX_REPLY_LENGTH) {
      socket.close(CLOSE_TOO_BIG, "the replies to one message are too long; ask in smaller ones");
      return;
    }
  }
  // SUBSCRIBE alone has no reply, and no empty message stands for it.
  if (text !== "") send(socket, text);
  if (interpreter.closed) socket.close(CLOSE_NORMAL, "bye");
}

/** Sends, unless the other side has gone or reads so slowly that it has to go. @returns whether it was sent. */
export function send(socket: WebSocket, text: string): boolean {
  if (socket.readyState !== WebSocket.OPEN) return false;
  if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
    socket.close(CLOSE_TRY_AGAIN, "slow_reader");
    return false;
  }
  socket.send(text);
  return true;
}
