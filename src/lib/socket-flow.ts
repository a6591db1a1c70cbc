/**
 * Flow control of WebSockets: memory for messages that wait for their answers, and for what was sent and may be unread.
 *
 * The engine buffers without bound for a client that does not read, and does not tell (its WebSockets have no
 * `bufferedAmount`). So what was sent counts as unread until the client sends something that shows that it has read: a
 * message while no other message waits for its answer, or an acknowledgement. A socket over a limit is closed with 1013
 * and the reason. What it has not read stays in the engine's memory until the socket is gone, and counts until then.
 */

import { Budget, type Held } from "./budget.ts";
import { FlowWindow } from "./flow-window.ts";
import { CLOSE_TRY_AGAIN } from "./close-codes.ts";

/** Bytes of a waiting message beside its content: its event, and its place in the queue. */
const MESSAGE_BYTES = 2_048;

const WAITING = { each: 32 * 1_048_576, all: 48 * 1_048_576, share: 262_144 };
const UNREAD = { each: 32 * 1_048_576, all: 48 * 1_048_576, share: 262_144 };

/** The budgets of all objects of the isolate together. */
const waitingOfAll = new Budget(WAITING);
const unreadOfAll = new Budget(UNREAD);

/** An object that is reset does not report its sockets: their bytes are free when it was garbage collected. */
const goneObjects = new FinalizationRegistry((flows: ReadonlyMap<WebSocket, Flow>) => {
  for (const flow of flows.values()) release(flow);
});

export interface FlowLimits {
  readonly waiting: ConstructorParameters<typeof Budget>[0];
  readonly unread: ConstructorParameters<typeof Budget>[0];
}

interface Flow {
  /** Bytes of messages that are not answered. */
  readonly waiting: Held;
  /** Characters that were sent, and may be unread. */
  readonly window: FlowWindow;
  closed?: true;
}

/**
 * The flow on the sockets of one object, or of the Worker, with limits for each socket, and for all sockets of the isolate,
 * which share its memory.
 */
export class SocketFlow {
  readonly #waiting: Budget;
  readonly #unread: Budget;
  readonly #flows = new Map<WebSocket, Flow>();

  /** @param limits of its own; left out, it shares those of the isolate */
  constructor(limits?: FlowLimits) {
    this.#waiting = limits === undefined ? waitingOfAll : new Budget(limits.waiting);
    this.#unread = limits === undefined ? unreadOfAll : new Budget(limits.unread);
    goneObjects.register(this, this.#flows);
  }

  /** A message has come. @returns false if the socket is closed, or was closed for this message: do not answer it */
  receive(socket: WebSocket, message: string | ArrayBuffer): boolean {
    const flow = this.#of(socket);
    if (!isOpen(socket)) return false;
    if (flow.waiting.bytes === 0) flow.window.acked();
    if (flow.waiting.add(weightOf(message))) return true;
    this.#close(socket, flow, "too many messages before their replies");
    return false;
  }

  /** A message was answered, or will not be answered. */
  answered(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#of(socket).waiting.add(-weightOf(message));
  }

  /** Sends. @returns false if the socket is closed, or was closed instead */
  send(socket: WebSocket, text: string): boolean {
    if (!this.owe(socket, text)) return false;
    socket.send(text);
    return true;
  }

  /** Counts a text that the caller itself sends in a moment. @returns as {@link send} */
  owe(socket: WebSocket, text: string): boolean {
    if (!isOpen(socket)) return false;
    const flow = this.#of(socket);
    if (flow.window.sent(text.length)) return true;
    flow.window.acked(text.length);
    this.#close(socket, flow, "slow_reader");
    return false;
  }

  /** The client has acknowledged so many characters more; all, if left out. */
  acked(socket: WebSocket, characters?: number): void {
    this.#of(socket).window.acked(characters);
  }

  /** The socket is gone. */
  forget(socket: WebSocket): void {
    const flow = this.#flows.get(socket);
    if (flow !== undefined) release(flow);
    this.#flows.delete(socket);
  }

  #of(socket: WebSocket): Flow {
    let flow = this.#flows.get(socket);
    if (flow === undefined) {
      flow = { waiting: this.#waiting.hold(), window: new FlowWindow(this.#unread) };
      this.#flows.set(socket, flow);
    }
    return flow;
  }

  #close(socket: WebSocket, flow: Flow, reason: string): void {
    if (flow.closed) return;
    flow.closed = true;
    socket.close(CLOSE_TRY_AGAIN, reason);
  }
}

function release({ waiting, window }: Flow): void {
  waiting.keep(0);
  window.acked();
}

function weightOf(message: string | ArrayBuffer): number {
  return MESSAGE_BYTES + (typeof message === "string" ? message.length : message.byteLength);
}

function isOpen(socket: WebSocket): boolean {
  return socket.readyState === WebSocket.OPEN;
}
