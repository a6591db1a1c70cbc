/** A bucket on a WebSocket: calls that are made in one turn travel together, and don't wait for each other's answers. */

import type { Bucket } from "./bucket.ts";
import type { Caller, JsonObject, PageWire, TransactionWire } from "./caller.ts";
import { backoff, pause, within } from "./deadline.ts";
import { ConnectionError, errorOf, KvError } from "./errors.ts";
import { toBase64Url } from "./base64.ts";
import type { CallOptions, Entries, OnceOptions } from "./types.ts";
import type { FailureWire, ResultWire } from "./wire.ts";

/** What is used of the platform's WebSocket. */
export type WebSocketClass = new (url: string, protocols?: string[]) => WebSocket;

export interface SessionOptions {
  readonly WebSocket: WebSocketClass | undefined;
  readonly timeoutMs: number;
  readonly retryBaseMs: number;
}

/** What the service confirms, and what a token comes behind: a browser can send no header with a WebSocket. */
const SUBPROTOCOL = "kv";
const TOKEN_SUBPROTOCOL = "kv.bearer.";
/** Tries to connect, for one call. */
const MAX_TRIES = 4;

type Request = JsonObject & { readonly id: number };
type Answer = { readonly id: number } & ({ readonly ok: unknown } | { readonly error: FailureWire });

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A bucket's connection. It connects with the first call, and again with the next one after it has broken; calls whose
 * answers were outstanding then end with a {@link ConnectionError}: whether they were done is not known.
 */
export class Session<T extends Entries> {
  readonly bucket: Bucket<T>;
  readonly #url: string;
  readonly #protocols: string[];
  readonly #options: SessionOptions;
  readonly #refusal: () => Promise<unknown>;
  readonly #waiting = new Map<number, Waiting>();
  #connecting: Promise<WebSocket> | undefined;
  #outbox: Request[] = [];
  #next = 1;
  #closed = false;

  /** @param refusal asks over HTTP why a connection was refused, which a WebSocket does not say; throws that */
  constructor(
    open: (caller: Caller) => Bucket<T>,
    refusal: () => Promise<unknown>,
    url: URL,
    token: string | undefined,
    options: SessionOptions,
  ) {
    url.protocol = url.protocol.replace("http", "ws");
    this.#url = url.href;
    this.#protocols = token === undefined ? [] : [SUBPROTOCOL, TOKEN_SUBPROTOCOL + toBase64Url(token)];
    this.#options = options;
    this.#refusal = refusal;
    this.bucket = open({
      batch: async (operations, call) =>
        (await this.#call<{ readonly results: readonly ResultWire[] }>({ batch: operations }, call)).results,
      transact: (transaction, { idempotencyKey, ...call }: CallOptions & OnceOptions) =>
        this.#call<TransactionWire>(
          { transaction, ...(idempotencyKey !== undefined && { idempotencyKey }) },
          call,
        ),
      list: (query, call) => this.#call<PageWire>({ list: query }, call),
    });
  }

  /** Ends the connection. Calls whose answers are outstanding end with an error. */
  close(): void {
    this.#closed = true;
    void this.#connecting?.then((socket) => socket.close()).catch(() => undefined);
    this.#fail(new ConnectionError("session_closed", "The session was closed before the answer came."));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #call<Reply>(request: JsonObject, options: CallOptions): Promise<Reply> {
    const id = this.#next;
    this.#next += 1;
    const limits = { signal: options.signal, timeoutMs: options.timeoutMs ?? this.#options.timeoutMs };
    return within(limits, (signal) => {
      const answered = new Promise<unknown>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        this.#post({ id, ...request }, signal);
      });
      return answered.finally(() => this.#waiting.delete(id)) as Promise<Reply>;
    });
  }

  /** What comes in the same turn goes in one message. */
  #post(request: Request, signal: AbortSignal): void {
    this.#outbox.push(request);
    if (this.#outbox.length > 1) return;
    queueMicrotask(() => void this.#flush(signal));
  }

  async #flush(signal: AbortSignal): Promise<void> {
    let failure: unknown;
    for (let tries = 0; tries < MAX_TRIES && this.#outbox.length > 0; tries += 1) {
      try {
        const socket = await this.#connect();
        const requests = this.#outbox.splice(0).filter(({ id }) => this.#waiting.has(id));
        if (requests.length > 0) socket.send(JSON.stringify(requests));
        return;
      } catch (error) {
        // Nothing was sent, so to try again is safe.
        failure = error;
        if (this.#closed || (error instanceof KvError && error.status >= 400 && error.status < 500)) break;
        await pause(backoff(tries, this.#options.retryBaseMs), signal).catch(() => undefined);
      }
    }
    for (const { id } of this.#outbox.splice(0)) this.#waiting.get(id)?.reject(failure);
  }

  #connect(): Promise<WebSocket> {
    if (this.#closed) throw new ConnectionError("session_closed", "The session is closed.");
    return (this.#connecting ??= this.#open());
  }

  async #open(): Promise<WebSocket> {
    const { WebSocket: Socket = WebSocket } = this.#options;
    const socket = new Socket(this.#url, this.#protocols);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.addEventListener("open", () => resolve());
        socket.addEventListener("message", ({ data }) => this.#hear(String(data)));
        const lost = (): void => {
          if (this.#connecting === undefined) return;
          this.#connecting = undefined;
          const error = new ConnectionError(
            "connection_lost",
            "The session's connection broke, or was refused.",
          );
          reject(error);
          this.#fail(error);
        };
        socket.addEventListener("close", lost);
        socket.addEventListener("error", lost);
      });
    } catch (error) {
      this.#connecting = undefined;
      await this.#refusal();
      throw error;
    }
    return socket;
  }

  #hear(text: string): void {
    for (const answer of JSON.parse(text) as readonly Answer[]) {
      const waiting = this.#waiting.get(answer.id);
      if ("ok" in answer) waiting?.resolve(answer.ok);
      else waiting?.reject(errorOf({ ...answer.error }));
    }
  }

  /** All whose requests have been sent. Those that have not wait for the next connection. */
  #fail(error: unknown): void {
    const unsent = new Set(this.#closed ? [] : this.#outbox.map(({ id }) => id));
    for (const [id, { reject }] of this.#waiting) if (!unsent.has(id)) reject(error);
  }
}
