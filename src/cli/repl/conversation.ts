/** The text protocol over a WebSocket: lines out, their replies back, and in between what was subscribed to. */

import { ConnectionError } from "../../client/index.ts";

/** Replies end where this one does: it is asked for behind every line, as some have no reply of their own. */
const MARK = "PING";
const MARKED = "PONG\r\n";
/** Said by who closes on purpose (RFC 6455 §7.4.1). */
const CLOSE_NORMAL = 1000;

/** Hears all that the service says, in its order. */
export type Hear = (lines: string, kind: "reply" | "feed") => void;

interface Asked {
  readonly resolve: (replies: string) => void;
  readonly reject: (error: Error) => void;
}

export class Conversation {
  /** Whether the service has ended it as asked for (QUIT), or it broke. */
  readonly ended: Promise<"closed" | "broken">;
  readonly #socket: WebSocket;
  readonly #asked: Asked[] = [];
  readonly #told: Hear;
  #over = false;

  /** @throws {ConnectionError} if it can't be opened */
  static async open(socket: WebSocket, hear: Hear): Promise<Conversation> {
    const conversation = new Conversation(socket, hear);
    await new Promise<void>((resolve, reject) => {
      const lost = (): void =>
        reject(new ConnectionError("connection_lost", "No connection to the service."));
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("close", lost);
      socket.addEventListener("error", lost);
    });
    return conversation;
  }

  private constructor(socket: WebSocket, hear: Hear) {
    this.#socket = socket;
    this.#told = hear;
    socket.addEventListener("message", ({ data }) => this.#hear(String(data)));
    this.ended = new Promise((resolve) => {
      const end = (ending: "closed" | "broken"): void => {
        this.#over = true;
        const lost = new ConnectionError("connection_lost", "The connection ended before the reply came.");
        for (const { reject } of this.#asked.splice(0)) reject(lost);
        resolve(ending);
      };
      socket.addEventListener("close", ({ code }) => end(code === CLOSE_NORMAL ? "closed" : "broken"));
      socket.addEventListener("error", () => end("broken"));
    });
  }

  /**
   * Says a line, and gives its replies, each with its ending.
   * @throws {ConnectionError} if the connection ends before
   */
  ask(line: string | Uint8Array): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#over) {
        reject(new ConnectionError("connection_lost", "The connection has ended."));
        return;
      }
      this.#asked.push({ resolve, reject });
      this.#socket.send(
        typeof line === "string" ? `${line}\n${MARK}` : Buffer.concat([line, Buffer.from(`\n${MARK}`)]),
      );
    });
  }

  close(): void {
    this.#socket.close(CLOSE_NORMAL);
  }

  /** What has no mark was not asked for; except the last words, in which the service says why it goes. */
  #hear(text: string): void {
    if (text !== MARKED && !text.endsWith(`\r\n${MARKED}`)) {
      this.#told(text, "feed");
      return;
    }
    const replies = text.slice(0, -MARKED.length);
    this.#told(replies, "reply");
    this.#asked.shift()?.resolve(replies);
  }
}
