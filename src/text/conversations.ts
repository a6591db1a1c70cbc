/** The text protocol over WebSockets: one message back for each message in, and pushed lines in between. */

import { breath, MESSAGE_UNITS } from "../lib/breath.ts";
import { CLOSE_NORMAL, CLOSE_TOO_BIG } from "../lib/close-codes.ts";
import { Serial } from "../otp/serial.ts";
import { SocketFlow } from "../lib/socket-flow.ts";
import { hasOverlongLine, lineGroupsOf } from "./lines.ts";
import type { Interpreter } from "./interpreter.ts";

/** Characters in the longest reply message; the platform's limit is 32 MiB. */
const MAX_REPLY_LENGTH = 16 * 1_048_576;

/**
 * The conversations of all WebSockets of an object. Messages of one socket are answered one after the other, so the
 * replies keep their order.
 */
export class Conversations {
  readonly #turns = new Serial<WebSocket>();
  readonly #flow: SocketFlow;
  /** Pushed text that arrived while a message was being answered; it is sent after the reply. */
  readonly #held = new WeakMap<WebSocket, string>();

  constructor(flow = new SocketFlow()) {
    this.#flow = flow;
  }

  /** Whether a message of this socket is being answered. */
  isAnswering(socket: WebSocket): boolean {
    return this.#turns.has(socket);
  }

  /** Answers a message after the earlier messages of its socket. */
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

  /** Counts an ack of `characters`; everything by default. */
  acked(socket: WebSocket, characters?: number): void {
    this.#flow.acked(socket, characters);
  }

  /** Removes the state of a closed socket. */
  forget(socket: WebSocket): void {
    this.#flow.forget(socket);
  }

  /**
   * Sends text that is not a reply: a change or a signal.
   * @returns false if the socket is closed, also if it was closed now because the client reads too slowly
   */
  push(socket: WebSocket, text: string): boolean {
    // Hold it until after the reply: a client must not receive a change before the OK of the command that made or
    // requested it.
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
        // Stop running commands of a socket that was closed meanwhile: its replies can't be sent.
        if (!isOpen(socket)) return;
        text += piece;
        if (text.length > MAX_REPLY_LENGTH) {
          socket.close(CLOSE_TOO_BIG, "the replies to one message are too long; send smaller messages");
          return;
        }
      }
    }
    // A message with only SUBSCRIBE has no reply; send no empty message for it.
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
