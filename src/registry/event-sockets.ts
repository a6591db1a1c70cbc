/** The WebSockets on which a partition tells of its events. */

import { CLOSE_TRY_AGAIN } from "../lib/close-codes.ts";
import type { RegistryEvent } from "../model/registry-event.ts";
import type { FeedMessage, Hello } from "../rpc/registry-rpc.ts";
import type { Events } from "./events.ts";

/** Events in one message. */
const BATCH = 500;
/** The tag of those who follow every name. No name has a blank. */
const ALL = "all names";

/**
 * A partition's followers. They are accepted with hibernation, so an idle partition can leave memory while
 * they wait. What is sent is held back by the output gate until it is on disk: nobody hears of an end that
 * a fault then takes back.
 */
export class EventSockets {
  readonly #ctx: DurableObjectState;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  /** Accepts a follower of one name, or of all, and sends it what came after the position. */
  accept(name: string | undefined, hello: Hello, events: Events | undefined): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    // A tag is at most as long as a name, and is carried through hibernation.
    this.#ctx.acceptWebSocket(server, [name ?? ALL]);
    send(server, { hello });
    if (events !== undefined) sendBehind(server, hello.position, events, name);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Tells those who follow one name how far the log is: what they wait for may be long in coming. */
  announce(position: number): void {
    for (const socket of this.#ctx.getWebSockets()) send(socket, { position });
  }

  publish(event: RegistryEvent): void {
    const message: FeedMessage = { events: [event] };
    for (const tag of [event.name, ALL]) {
      for (const socket of this.#ctx.getWebSockets(tag)) send(socket, message);
    }
  }
}

function sendBehind(socket: WebSocket, since: number, events: Events, name: string | undefined): void {
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
    // A follower that misses a message must not go on as if it had not: it comes back and asks again.
    socket.close(CLOSE_TRY_AGAIN, "not sent");
  }
}
