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
  /** Resets the object, which is the only way to free connections that broke. */
  readonly renew: (reason: string) => Promise<void>;
}

/**
 * Sends each message to the kind of socket that it came on, by the socket's tag. The sockets are accepted with
 * hibernation, and those that lead out of the process take one of the service's places for connections.
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
    // A feed for a stream, or for a connection, is the Worker's, which takes a place itself: only the others count.
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
    // The engine starts the next message as soon as this one has begun, and looks at other callers only when there is
    // none. Only an object that takes nothing at all for a moment holds a flood back, and it does so on closed sockets too:
    // messages still come on them.
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

  /** Invalid frames, or a connection that broke. In the first case the engine keeps the connection. */
  async broken(socket: WebSocket): Promise<void> {
    this.#forget(socket, "broken");
    if (!connections.isClogged(this.#id)) return;
    await this.#renew("connections that broke");
    // All of them are gone now, although the object may not be woken again for long.
    connections.wake(this.#id, 0);
  }

  /** Tells subscribers and watchers; to be called in the turn of the write, behind its transaction. */
  publish(changes: readonly Change[]): void {
    this.#text.publish(changes);
    this.#watchers.publish(changes);
  }

  /** Tells watchers how far the log is, before it forgets. */
  announce(): void {
    this.#watchers.announce();
  }

  /** Drops slow watchers. @returns when the next one would be dropped */
  dropSlow(): number | undefined {
    return this.#watchers.dropSlow();
  }

  /** The bucket has ended, and the registry knows. */
  ended(reason: string): void {
    this.#watchers.closeAll("DOWN", reason);
    this.#sessions.closeAll("DOWN");
    this.#text.ended(reason);
  }

  /** The object is about to be reset. */
  resetting(reason: string): Promise<void> {
    this.#watchers.closeAll("RESTARTED", reason);
    this.#sessions.closeAll("RESTARTED");
    return this.#text.resetting(reason);
  }

  /** The server is about to end; the bucket is not. */
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
    // A close may be reported as an error too.
    if (this.#ctx.getTags(socket).includes(OUTSIDE) && !this.#gone.has(socket)) {
      if (how === "closed") connections.holdMore(this.#id, -1);
      else connections.breakOff(this.#id, socket);
    }
    this.#gone.add(socket);
  }
}
