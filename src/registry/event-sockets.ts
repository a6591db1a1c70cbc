/** The WebSockets on which a partition sends its events to followers. */

import { CLOSE_TRY_AGAIN } from "../lib/close-codes.ts";
import type { RegistryEvent } from "../model/registry-event.ts";
import type { FeedMessage, Hello } from "../rpc/registry-rpc.ts";
import type { Events } from "./events.ts";

/** Events in one message at most. */
const BATCH = 500;
/** The tag of sockets that follow every name. It has a space, so it is never a name. */
const ALL = "all names";

/**
 * A partition's followers. Their sockets hibernate, so an idle partition can leave memory while they wait. The
 * platform's output gate delays each message until the event is on disk, so a follower never receives an event that a
 * fault then undoes.
 */
export class EventSockets {
  readonly #ctx: DurableObjectState;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  /** Accepts a follower of one name, or of all names if undefined, and sends it the events after the position. */
  accept(name: string | undefined, hello: Hello, events: Events | undefined): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    // The tag survives hibernation. The platform allows 256 characters, which is also the longest name.
    this.#ctx.acceptWebSocket(server, [name ?? ALL]);
    send(server, { hello });
    if (events !== undefined) sendMissed(server, hello.position, events, name);
    return new Response(null, { status: 101, webSocket: client });
  }

  /**
   * Sends every follower the log's position. A follower of a quiet name would otherwise keep a position that the log no
   * longer covers.
   */
  announce(position: number): void {
    for (const socket of this.#ctx.getWebSockets()) send(socket, { position });
  }

  /** Sends an event to the followers of its name, and to those of all names. */
  publish(event: RegistryEvent): void {
    const message: FeedMessage = { events: [event] };
    for (const tag of [event.name, ALL]) {
      for (const socket of this.#ctx.getWebSockets(tag)) send(socket, message);
    }
  }
}

function sendMissed(socket: WebSocket, since: number, events: Events, name: string | undefined): void {
  for (let position = since; ;) {
    const batch = events.after(position, BATCH, name);
    const last = batch.at(-1);
    if (last === undefined) return;
    send(socket, { events: batch });
    position = last.seq;
  }
}

function send(socket: WebSocket, message: FeedMessage): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  try {
    socket.send(JSON.stringify(message));
  } catch {
    // A follower must not continue after a missed message: it reconnects and resumes from its position.
    socket.close(CLOSE_TRY_AGAIN, "not sent");
  }
}
