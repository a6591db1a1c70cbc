/** A WebSocket that carries the text protocol: one message in, one message back, and changes in between. */

import { breath, MESSAGE_UNITS } from "../lib/breath.ts";
import { CLOSE_NORMAL, CLOSE_TOO_BIG } from "../lib/close-codes.ts";
import { Serial } from "../otp/serial.ts";
import { SocketFlow } from "../lib/socket-flow.ts";
import { hasOverlongLine, lineGroupsOf } from "./lines.ts";
import type { Interpreter } from "./interpreter.ts";

/** Characters in the longest message back; the platform's limit is 32 MiB. */
const MAX_REPLY_LENGTH = 16 * 1_048_576;

/**
 * The conversations of WebSockets. Messages of one socket are answered one after the other, so that replies
 * keep their order.
 */
export class Conversations {
  readonly #turns = new Serial<WebSocket>();
  readonly #flow: SocketFlow;
  /** What came up while a message was being answered: it is sent behind the reply. */
  readonly #held = new WeakMap<WebSocket, string>();

  constructor(flow = new SocketFlow()) {
    this.#flow = flow;
  }

  /** Whether a message of this socket is being answered. */
  isAnswering(socket: WebSocket): boolean {
    return this.#turns.has(socket);
  }

  /** Answers a message when its turn has come. */
  async answer(socket: WebSocket, message: string | ArrayBuffer, interpreter: Interpreter): Promise<void> {
    if (!this.#flow.receive(socket, message)) return;
    try {
      await this.#turns.run(socket, async () => {
        const pause = breath.take(MESSAGE_UNITS);
        if (pause !== undefined) await pause;
        if (isOpen(socket)) await this.#answerMessage(socket, interpreter, message);
      });
    } finally {
      this.#flow.answered(socket, message);
    }
  }

  /** The client is there, and has read what it was sent: it says so. */
  acked(socket: WebSocket, characters?: number): void {
    this.#flow.acked(socket, characters);
  }

  /** The socket is gone. */
  forget(socket: WebSocket): void {
    this.#flow.forget(socket);
  }

  /**
   * Sends what was not asked for.
   * @returns false if the socket is closed, or has been because it is sent more than it reads.
   */
  push(socket: WebSocket, text: string): boolean {
    // Behind the reply: what was asked for a moment ago must not be heard of before its OK.
    if (!this.isAnswering(socket)) return this.#flow.send(socket, text);
    if (!this.#flow.owe(socket, text)) return false;
    this.#held.set(socket, (this.#held.get(socket) ?? "") + text);
    return true;
  }

  async #answerMessage(
    socket: WebSocket,
    interpreter: Interpreter,
    message: string | ArrayBuffer,
  ): Promise<void> {
    let text = "";
    let tooLong = false;
    for (const lines of lineGroupsOf(typeof message === "string" ? message : new Uint8Array(message))) {
      tooLong = hasOverlongLine(lines);
      if (tooLong) text += interpreter.tooLong();
      if (interpreter.closed) break;
      for await (const piece of interpreter.run(lines)) {
        // A socket that was closed meanwhile hears nothing more, so nothing more is done for it.
        if (!isOpen(socket)) return;
        text += piece;
        if (text.length > MAX_REPLY_LENGTH) {
          socket.close(CLOSE_TOO_BIG, "the replies to one message are too long; ask in smaller ones");
          return;
        }
      }
    }
    // SUBSCRIBE alone has no reply, and no empty message stands for it.
    if (text !== "") this.#flow.send(socket, text);
    const held = this.#held.get(socket);
    this.#held.delete(socket);
    if (held !== undefined && isOpen(socket)) socket.send(held);
    if (tooLong) socket.close(CLOSE_TOO_BIG, "too_long");
    else if (interpreter.closed) socket.close(CLOSE_NORMAL, "bye");
  }
}

function isOpen(socket: WebSocket): boolean {
  return socket.readyState === WebSocket.OPEN;
}
