/** All WebSockets of a bucket: connections of the text protocol and their feeds, sessions, and watchers. */

import type { Env } from "../config/env.ts";
import { breath, MESSAGE_UNITS } from "../lib/breath.ts";
import { answerClose } from "../lib/close-codes.ts";
import { connections, OUTSIDE } from "../lib/connections.ts";
import type { WatchRequest } from "../model/watch.ts";
import type { Change } from "../store/change-log.ts";
import { SESSION, Sessions, type SessionOwner } from "./sessions.ts";
import { TextSockets, type TextSocketsOwner } from "./text-sockets.ts";
import { WATCH, Watchers, type WatchersOptions } from "./watchers.ts";

export interface SocketsOptions {
  readonly text: TextSocketsOwner;
  readonly session: SessionOwner;
  readonly watch: WatchersOptions;
  /** Resets the object. That is the only way to free broken connections. */
  readonly renew: (reason: string) => Promise<void>;
}

/**
 * Dispatches each message by the tag of its socket. All sockets are accepted with hibernation. Sockets of clients outside
 * of this process count against the service's limit of connections.
 */
export class Sockets {
  readonly #ctx: DurableObjectState;
  readonly #renew: SocketsOptions["renew"];
  readonly #text: TextSockets;
  readonly #sessions: Sessions;
  readonly #watchers: Watchers;
  readonly #gone = new WeakSet<WebSocket>();

  constructor(ctx: DurableObjectState, env: Env, options: SocketsOptions) {
    this.#ctx = ctx;
    this.#renew = options.renew;
    this.#text = new TextSockets(ctx, env, options.text);
    this.#sessions = new Sessions(ctx, options.session);
    this.#watchers = new Watchers(ctx, options.watch);
    connections.wake(this.#id, this.#outside);
  }

  /** Accepts an upgrade: `/connect`, `/subscribe`, `/session` or `/watch`. */
  accept({ pathname, searchParams }: URL, bucket: string): Response {
    const response = this.#acceptAt(pathname, searchParams, bucket);
    // A feed for an event stream or a connection goes to a Worker, which takes a place itself: it is not counted here.
    connections.hold(this.#id, this.#outside);
    return response;
  }

  #acceptAt(pathname: string, query: URLSearchParams, bucket: string): Response {
    switch (pathname) {
      case "/watch":
        return this.#watchers.accept(JSON.parse(query.get("request") ?? "") as WatchRequest);
      case "/session":
        return this.#sessions.accept();
      default:
        return this.#text.accept(pathname === "/subscribe" ? "feed" : "conversation", bucket);
    }
  }

  async receive(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    // The engine starts the next message as soon as this one has begun, and serves other callers only when no message
    // is left. Only blocking the whole object for a moment slows a flood down. This comes before the check for closed
    // sockets, because messages still arrive on them.
    if (breath.isDue(MESSAGE_UNITS)) await this.#ctx.blockConcurrencyWhile(() => breath.pause());
    if (socket.readyState !== WebSocket.OPEN) return;
    const tags = this.#ctx.getTags(socket);
    if (tags.includes(WATCH)) this.#watchers.acknowledged(socket, message);
    else if (tags.includes(SESSION)) await this.#sessions.receive(socket, message);
    else await this.#text.receive(socket, message);
  }

  closed(socket: WebSocket, code: number, reason: string): void {
    this.#forget(socket, "closed");
    answerClose(socket, code, reason);
  }

  /** Called for invalid frames and for a broken connection. After invalid frames the engine keeps the connection. */
  async broken(socket: WebSocket): Promise<void> {
    this.#forget(socket, "broken");
    if (!connections.isClogged(this.#id)) return;
    await this.#renew("connections that broke");
    // The reset has closed all connections. Count that now: it may be long until the object is woken again.
    connections.wake(this.#id, 0);
  }

  /** Sends changes to subscribers and watchers. Call it in the turn of the write, after its transaction. */
  publish(changes: readonly Change[]): void {
    this.#text.publish(changes);
    this.#watchers.publish(changes);
  }

  /** Sends the log's revision to synced watchers. Call it before the log is trimmed. */
  announce(): void {
    this.#watchers.announce();
  }

  /** Drops slow watchers. @returns when the next one becomes slow; undefined if all watchers are synced */
  dropSlow(): number | undefined {
    return this.#watchers.dropSlow();
  }

  /** Closes all sockets: the bucket has ended, and the registry knows. */
  ended(reason: string): void {
    this.#watchers.closeAll("DOWN", reason);
    this.#sessions.closeAll("DOWN");
    this.#text.ended(reason);
  }

  /** Closes all sockets: the object is about to be reset. */
  resetting(reason: string): Promise<void> {
    this.#watchers.closeAll("RESTARTED", reason);
    this.#sessions.closeAll("RESTARTED");
    return this.#text.resetting(reason);
  }

  /** Closes all sockets: the server is stopping. The bucket lives on. */
  serverStopping(): void {
    this.#watchers.serverStopping();
    this.#sessions.closeAll("SERVER_STOPPING");
    this.#text.serverStopping();
  }

  get #id(): string {
    return this.#ctx.id.toString();
  }

  get #outside(): number {
    return this.#ctx.getWebSockets(OUTSIDE).length;
  }

  #forget(socket: WebSocket, how: "closed" | "broken"): void {
    this.#watchers.forget(socket);
    this.#sessions.forget(socket);
    this.#text.forget(socket);
    // The platform may report one close twice: as a close and as an error.
    if (this.#ctx.getTags(socket).includes(OUTSIDE) && !this.#gone.has(socket)) {
      if (how === "closed") connections.holdMore(this.#id, -1);
      else connections.breakOff(this.#id, socket);
    }
    this.#gone.add(socket);
  }
}
