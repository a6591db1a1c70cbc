/** The tools of an attack: the server's addresses, its connections, and a time limit. */

import { once } from "node:events";
import { Agent } from "node:http";
import { connect, type Socket } from "node:net";
import { ask, brief, type Answer, type Ask } from "./http.ts";
import { ATTACK_MS } from "./limits.ts";
import type { HostileServer } from "./server.ts";

type Request = Pick<Ask, "body" | "headers">;

export class Attacker {
  readonly server: HostileServer;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #sockets = new Set<Socket>();
  readonly #timeUp = new AbortController();
  readonly #over: Promise<void>;
  readonly #timer: ReturnType<typeof setTimeout>;

  /** Starts the time limit. */
  constructor(server: HostileServer) {
    this.server = server;
    this.#timer = setTimeout(() => this.#timeUp.abort(), ATTACK_MS);
    this.#over = once(this.#timeUp.signal, "abort").then(() => undefined);
  }

  get isOver(): boolean {
    return this.#timeUp.signal.aborted;
  }

  /** Opens a connection, which `end` closes. A refused one is `destroyed`. */
  async connect(port: number): Promise<Socket> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#sockets.add(socket);
    // The server may close a connection at any time; an attack checks `destroyed`.
    socket.on("error", () => undefined);
    const settled = new Promise<void>((resolve) => {
      for (const event of ["connect", "close"]) socket.once(event, () => resolve());
    });
    await Promise.race([settled, this.#over]);
    return socket;
  }

  /** Writes, and waits until the kernel has accepted the bytes. Returns early if the connection or the time ends. */
  async write(socket: Socket, bytes: Uint8Array | string): Promise<void> {
    if (socket.destroyed || this.isOver) return;
    const taken = new Promise<void>((resolve) => {
      socket.write(bytes, () => resolve());
    });
    await Promise.race([taken, this.#over]);
  }

  /** Sends a request over a kept-alive connection. @throws if it fails or the time is up */
  ask(method: string, path: string, request: Request = {}): Promise<Answer> {
    return this.#ask(method, path, { ...request, agent: this.#agent });
  }

  /** Creates a bucket over a new connection. @returns the outcome, in a few words */
  async newClient(): Promise<string> {
    try {
      return `a new client: ${brief(await this.#ask("PUT", "/v1/buckets/newcomer", {}))}`;
    } catch (error) {
      return `a new client: ${this.isOver ? "no answer" : (error as Error).message}`;
    }
  }

  /** Waits for `ms` milliseconds, but no longer than the time limit. */
  async wait(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const held = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([held, this.#over]);
    clearTimeout(timer);
  }

  /** Waits until the condition holds, at most `ms` milliseconds or until the time is up. */
  async until(condition: () => boolean, ms = ATTACK_MS): Promise<void> {
    const end = performance.now() + ms;
    while (!condition() && !this.isOver && performance.now() < end) await this.wait(10);
  }

  /** Closes all connections. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timeUp.abort();
    for (const socket of this.#sockets) socket.destroy();
    this.#agent.destroy();
  }

  #ask(method: string, path: string, request: Request & Pick<Ask, "agent">): Promise<Answer> {
    const { http, token } = this.server;
    return ask({ port: http, token, method, path, ...request, signal: this.#timeUp.signal });
  }
}
