/** A TCP connection of the text protocol that counts the replies. */

import type { Socket } from "node:net";
import type { Attacker } from "./attacker.ts";

const LF = 0x0a;
/** Characters of the latest replies to keep. */
const MAX_LATEST = 400;
/** Characters of them to show. */
const MAX_SHOWN = 60;

export class TextConnection {
  readonly #attacker: Attacker;
  readonly #socket: Socket;
  #latest = "";
  bytes = 0;
  lines = 0;

  constructor(attacker: Attacker, socket: Socket) {
    this.#attacker = attacker;
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.bytes += chunk.length;
      for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, at + 1)) this.lines += 1;
      const end = chunk.toString("latin1", Math.max(0, chunk.length - MAX_LATEST));
      this.#latest = (this.#latest + end).slice(-MAX_LATEST);
    });
  }

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  /** The latest lines. */
  latest(count: number): string {
    return this.#latest.trim().split("\r\n").slice(-count).join(", ").slice(0, MAX_SHOWN);
  }

  send(bytes: string | Uint8Array): Promise<void> {
    return this.#attacker.write(this.#socket, bytes);
  }

  /** Stops reading, so that the kernel's buffers fill. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The outcome, in a few words. */
  ending(): string {
    return this.isClosed ? `closed, ${this.latest(1) || "without a word"}` : "open";
  }
}

export async function openText(attacker: Attacker, port = attacker.server.tcp): Promise<TextConnection> {
  return new TextConnection(attacker, await attacker.connect(port));
}
