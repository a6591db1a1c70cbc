/** What WebSockets have of us in memory: messages that wait to be answered, and what was sent and may not have been read. */

import { Budget, type Held } from "./budget.ts";
import { FlowWindow } from "./flow-window.ts";
import { CLOSE_TRY_AGAIN } from "./close-codes.ts";

/** A message that waits costs more than its own bytes: its event, and its place in the queue. */
const MESSAGE_BYTES = 2_048;

const WAITING = { each: 32 * 1_048_576, all: 48 * 1_048_576, share: 262_144 };
const UNREAD = { each: 32 * 1_048_576, all: 48 * 1_048_576, share: 262_144 };

/** What all objects of the isolate share. */
const waitingOfAll = new Budget(WAITING);
const unreadOfAll = new Budget(UNREAD);

/** An object that is gone, by a reset for example, has told of none of its sockets: what they had is free then. */
const goneObjects = new FinalizationRegistry((flows: ReadonlyMap<WebSocket, Flow>) => {
  for (const flow of flows.values()) release(flow);
});

export interface FlowLimits {
  readonly waiting: ConstructorParameters<typeof Budget>[0];
  readonly unread: ConstructorParameters<typeof Budget>[0];
}

interface Flow {
  /** Bytes of messages that have come and are not answered. */
  readonly waiting: Held;
  /** Characters that were sent since the client was last known to have read what it had. */
  readonly window: FlowWindow;
  closed?: true;
}

/**
 * The flow on the sockets of one object, or of the Worker, with a limit for each and one for all of the isolate together:
 * its memory is one.
 *
 * The engine buffers without bound for a client that does not read, and does not tell (its WebSockets have no
 * `bufferedAmount`). So what was sent counts as unread until something comes from the client that it can hardly have
 * sent before: a message while no other waits for its answer, or an acknowledgement. A socket over a limit is closed with
 * 1013 and the reason. What it has not read stays in the engine until it is gone, so it counts until then.
 */
export class SocketFlow {
  readonly #waiting: Budget;
  readonly #unread: Budget;
  readonly #flows = new Map<WebSocket, Flow>();

  /** @param limits of its own, where it is not to share those of the isolate */
  constructor(limits?: FlowLimits) {
    this.#waiting = limits === undefined ? waitingOfAll : new Budget(limits.waiting);
    this.#unread = limits === undefined ? unreadOfAll : new Budget(limits.unread);
    goneObjects.register(this, this.#flows);
  }

  /** A message has come. @returns false if it is not to be answered, because the socket is closed, or has been for that */
  receive(socket: WebSocket, message: string | ArrayBuffer): boolean {
    const flow = this.#of(socket);
    if (!isOpen(socket)) return false;
    if (flow.waiting.bytes === 0) flow.window.acked();
    if (flow.waiting.add(weightOf(message))) return true;
    this.#close(socket, flow, "too many messages before their replies");
    return false;
  }

  /** A message has been answered, or will not be. */
  answered(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#of(socket).waiting.add(-weightOf(message));
  }

  /** Sends. @returns false if it did not, because the socket is closed, or has been for that */
  send(socket: WebSocket, text: string): boolean {
    if (!this.owe(socket, text)) return false;
    socket.send(text);
    return true;
  }

  /** Something will be sent in a moment, by the caller; it counts from now on. @returns as {@link send} does */
  owe(socket: WebSocket, text: string): boolean {
    if (!isOpen(socket)) return false;
    const flow = this.#of(socket);
    if (flow.window.sent(text.length)) return true;
    flow.window.acked(text.length);
    this.#close(socket, flow, "slow_reader");
    return false;
  }

  /** The client says that it has read so many characters more; all, if it does not say how many. */
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
