/** The text protocol over each of its transports, as one kind of conversation. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Addresses } from "./server.ts";

/** A conversation in the text protocol. */
export interface Conversation {
  /** Sends lines and waits for as many reply lines as are named, which come back with their endings. */
  readonly ask: (lines: string, replyLines: number) => Promise<string>;
  readonly close: () => void;
}

export interface Transport {
  readonly name: string;
  readonly open: (server: Addresses) => Promise<Conversation>;
}

export const transports: readonly Transport[] = [
  { name: "TCP", open: async ({ tcpPort }) => openTcp(tcpPort) },
  { name: "WebSocket", open: async ({ httpPort }) => openWebSocket(`ws://127.0.0.1:${httpPort}/v1/connect`) },
  { name: "POST /v1/commands", open: async ({ http }) => postCommands(http) },
];

/** What arrives, taken by lines. */
class Inbox {
  #text = "";
  #wake = (): void => undefined;
  closed = false;

  push(text: string): void {
    this.#text += text;
    this.#wake();
  }

  end(): void {
    this.closed = true;
    this.#wake();
  }

  /** The next lines, with their endings. */
  async take(count: number): Promise<string> {
    for (;;) {
      const end = this.#endOf(count);
      if (end !== undefined) {
        const taken = this.#text.slice(0, end);
        this.#text = this.#text.slice(end);
        return taken;
      }
      if (this.closed) throw new Error(`closed after ${JSON.stringify(this.#text)}`);
      await new Promise<void>((wake) => (this.#wake = wake));
    }
  }

  /** Where the line of that number ends, if it is there. */
  #endOf(count: number): number | undefined {
    let end = 0;
    for (let line = 0; line < count; line += 1) {
      const at = this.#text.indexOf("\n", end);
      if (at === -1) return undefined;
      end = at + 1;
    }
    return end;
  }

  /** Everything until the other side closes. */
  async rest(): Promise<string> {
    while (!this.closed) await new Promise<void>((wake) => (this.#wake = wake));
    return this.#text;
  }
}

export interface TcpConversation extends Conversation {
  readonly socket: Socket;
  readonly send: (bytes: string | Uint8Array) => void;
  /** The next lines that arrive, with their endings. */
  readonly take: (lines: number) => Promise<string>;
  /** Everything until the server closes. */
  readonly rest: () => Promise<string>;
}

export async function openTcp(port: number): Promise<TcpConversation> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const inbox = new Inbox();
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => inbox.push(text));
  socket.on("close", () => inbox.end());
  socket.on("error", () => inbox.end());
  await once(socket, "connect");
  return {
    socket,
    send: (bytes) => socket.write(bytes),
    take: (lines) => inbox.take(lines),
    rest: () => inbox.rest(),
    ask(lines, replyLines) {
      socket.write(lines);
      return inbox.take(replyLines);
    },
    close: () => socket.destroy(),
  };
}

export interface WebSocketConversation extends Conversation {
  readonly socket: WebSocket;
  /** The messages that have arrived and were not asked for one by one. */
  readonly take: (lines: number) => Promise<string>;
  /** Settles when the other side has closed, with the code. */
  readonly closed: Promise<number>;
}

export async function openWebSocket(url: string, protocols: string[] = []): Promise<WebSocketConversation> {
  const socket = new WebSocket(url, protocols);
  const inbox = new Inbox();
  const closed = new Promise<number>((resolve) => {
    socket.addEventListener("close", ({ code }) => {
      inbox.end();
      resolve(code);
    });
  });
  socket.addEventListener("message", ({ data }) => inbox.push(String(data)));
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error(`the upgrade of ${url} was refused`)));
  });
  return {
    socket,
    closed,
    take: (lines) => inbox.take(lines),
    ask(lines, replyLines) {
      socket.send(lines);
      return inbox.take(replyLines);
    },
    close: () => socket.close(),
  };
}

function postCommands(http: string): Conversation {
  return {
    async ask(lines) {
      const response = await fetch(`${http}/v1/commands`, { method: "POST", body: lines });
      return response.text();
    },
    close: () => undefined,
  };
}
