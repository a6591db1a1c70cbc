/** A WebSocket that carries the text protocol: one message in, one message back, and changes in between. */

import { CLOSE_NORMAL, CLOSE_TOO_BIG, CLOSE_TRY_AGAIN } from "../close-codes.ts";
import { Serial } from "../otp/serial.ts";
import { hasOverlongLine, linesOf } from "./lines.ts";
import type { Interpreter } from "./run.ts";

/** Characters in the longest message back; the platform's limit is 32 MiB. */
const MAX_REPLY_LENGTH = 16 * 1_048_576;
/** Bytes of messages that may wait behind the one that is being answered. */
const MAX_WAITING = 32 * 1_048_576;
/** Characters of changes that are sent to a client from which nothing is heard. */
const MAX_UNHEARD = 32 * 1_048_576;

/**
 * The conversations of WebSockets. Messages of one socket are answered one after the other, so that replies
 * keep their order.
 */
export class Conversations {
  readonly #turns = new Serial<WebSocket>();
  readonly #waiting = new WeakMap<WebSocket, number>();
  readonly #unheard = new WeakMap<WebSocket, number>();
  /** What came up while a message was being answered: it is sent behind the reply. */
  readonly #held = new WeakMap<WebSocket, string>();

  /** Whether a message of this socket is being answered. */
  isAnswering(socket: WebSocket): boolean {
    return this.#turns.has(socket);
  }

  /** Answers a message when its turn has come. */
  async answer(socket: WebSocket, message: string | ArrayBuffer, interpreter: Interpreter): Promise<void> {
    this.heard(socket);
    const size = typeof message === "string" ? message.length : message.byteLength;
    const waiting = (this.#waiting.get(socket) ?? 0) + size;
    if (waiting > MAX_WAITING) {
      socket.close(CLOSE_TRY_AGAIN, "too many messages before their replies");
      return;
    }
    this.#waiting.set(socket, waiting);
    try {
      await this.#turns.run(socket, async () => {
        if (isOpen(socket)) await answerMessage(socket, interpreter, message, () => this.#release(socket));
      });
    } finally {
      this.#waiting.set(socket, (this.#waiting.get(socket) ?? 0) - size);
    }
  }

  /** The client is there: it has sent something. */
  heard(socket: WebSocket): void {
    this.#unheard.delete(socket);
  }

  /**
   * Sends what was not asked for. workerd buffers without bound for a client that does not read, and does
   * not tell (it has no `bufferedAmount`); so who gets much and sends nothing, not even PING, is cut off.
   * @returns false if the socket is closed, or has been for that.
   */
  push(socket: WebSocket, text: string): boolean {
    if (!isOpen(socket)) return false;
    const unheard = (this.#unheard.get(socket) ?? 0) + text.length;
    if (unheard > MAX_UNHEARD) {
      socket.close(CLOSE_TRY_AGAIN, "slow_reader");
      return false;
    }
    this.#unheard.set(socket, unheard);
    // Behind the reply: what was asked for a moment ago must not be heard of before its OK.
    if (this.isAnswering(socket)) this.#held.set(socket, (this.#held.get(socket) ?? "") + text);
    else socket.send(text);
    return true;
  }

  #release(socket: WebSocket): void {
    const held = this.#held.get(socket);
    this.#held.delete(socket);
    if (held !== undefined) reply(socket, held);
  }
}

async function answerMessage(
  socket: WebSocket,
  interpreter: Interpreter,
  message: string | ArrayBuffer,
  replied: () => void,
): Promise<void> {
  const lines = linesOf(typeof message === "string" ? message : new Uint8Array(message));
  if (hasOverlongLine(lines)) {
    reply(socket, interpreter.tooLong());
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
  if (text !== "") reply(socket, text);
  replied();
  if (interpreter.closed) socket.close(CLOSE_NORMAL, "bye");
}

function reply(socket: WebSocket, text: string): void {
  if (isOpen(socket)) socket.send(text);
}

function isOpen(socket: WebSocket): boolean {
  return socket.readyState === WebSocket.OPEN;
}
