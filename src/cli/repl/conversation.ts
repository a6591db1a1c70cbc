/** The text protocol over a WebSocket: sends lines, and assigns replies to them; notices arrive in between. */

import { ConnectionError } from "../../client/index.ts";

/** Sent after every line. Its reply marks the end of the line's replies, which may be none. */
const MARK = "PING";
const MARKED = "PONG\r\n";
/** Close code of a normal end (RFC 6455 §7.4.1). */
const CLOSE_NORMAL = 1000;

/** Called with everything that the service sends, in order. */
export type OnText = (lines: string, kind: "reply" | "feed") => void;

interface PendingLine {
  readonly resolve: (replies: string) => void;
  readonly reject: (error: Error) => void;
}

export class Conversation {
  /** Resolves when the connection ends: `closed` after QUIT, otherwise `broken`. */
  readonly ended: Promise<"closed" | "broken">;
  readonly #socket: WebSocket;
  readonly #pending: PendingLine[] = [];
  readonly #onText: OnText;
  #ended = false;

  /** @throws {ConnectionError} if it can't be opened */
  static async open(socket: WebSocket, onText: OnText): Promise<Conversation> {
    const conversation = new Conversation(socket, onText);
    await new Promise<void>((resolve, reject) => {
      const lost = (): void =>
        reject(new ConnectionError("connection_lost", "No connection to the service."));
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("close", lost);
      socket.addEventListener("error", lost);
    });
    return conversation;
  }

  private constructor(socket: WebSocket, onText: OnText) {
    this.#socket = socket;
    this.#onText = onText;
    socket.addEventListener("message", ({ data }) => this.#receive(String(data)));
    this.ended = new Promise((resolve) => {
      const end = (ending: "closed" | "broken"): void => {
        this.#ended = true;
        const lost = new ConnectionError("connection_lost", "The connection ended before the reply arrived.");
        for (const { reject } of this.#pending.splice(0)) reject(lost);
        resolve(ending);
      };
      socket.addEventListener("close", ({ code }) => end(code === CLOSE_NORMAL ? "closed" : "broken"));
      socket.addEventListener("error", () => end("broken"));
    });
  }

  /**
   * Sends a line. @returns its replies, with their line ends
   * @throws {ConnectionError} `connection_lost` if the connection ends first
   */
  ask(line: string | Uint8Array): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(new ConnectionError("connection_lost", "The connection has ended."));
        return;
      }
      this.#pending.push({ resolve, reject });
      this.#socket.send(
        typeof line === "string" ? `${line}\n${MARK}` : Buffer.concat([line, Buffer.from(`\n${MARK}`)]),
      );
    });
  }

  close(): void {
    this.#socket.close(CLOSE_NORMAL);
  }

  /** A message without the mark is a notice, or the service's last message before it closes the connection. */
  #receive(text: string): void {
    if (text !== MARKED && !text.endsWith(`\r\n${MARKED}`)) {
      this.#onText(text, "feed");
      return;
    }
    const replies = text.slice(0, -MARKED.length);
    this.#onText(replies, "reply");
    this.#pending.shift()?.resolve(replies);
  }
}
