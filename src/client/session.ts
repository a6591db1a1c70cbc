/** A bucket on a WebSocket: calls that are made in one turn travel together, and don't wait for each other's answers. */

// For Symbol.dispose: whoever's own settings don't have it gets it with these types.
/// <reference lib="esnext.disposable" preserve="true" />

import { parsed, shaped, unexpected } from "./answers.ts";
import { onlyRead, onlyReads, type Caller, type JsonObject } from "./caller.ts";
import { backoff, pause, within } from "./deadline.ts";
import { ConnectionError, errorOf, KvError, TimeoutError } from "./errors.ts";
import { jsonText } from "./json-text.ts";
import { waitAskedFor } from "./retry-after.ts";
import { isLargerThan } from "./size.ts";
import { openSocket, type Socket, type WebSocketClass } from "./socket.ts";
import type { CallOptions, OnceOptions } from "./types.ts";
import { FAILURE } from "./wire.ts";

export interface SessionOptions {
  readonly WebSocket: WebSocketClass | undefined;
  readonly timeoutMs: number;
  /** Tries to connect after the first; and of a call that may be done twice. */
  readonly retries: number;
  readonly retryBaseMs: number;
}

/** Requests in one message; and characters, if it is more than one. */
const MAX_REQUESTS = 500;
const MAX_LENGTH = 2_097_152;
/** Bytes of one request, as over HTTP; the platform's longest message has 32 MiB. */
const MAX_REQUEST_BYTES = 16_777_216;
/** Characters of answers after which the service hears that they have been read; it keeps some megabytes for us. */
const ACK_AFTER = 1_048_576;
/** How long nothing may come, while something is awaited, before the connection is taken to be dead, in milliseconds. */
const MAX_SILENCE_MS = 5_000;

interface AnswerWire {
  readonly id: number;
  readonly ok?: unknown;
  readonly error?: unknown;
}
type Answer = { readonly id: number } & ({ readonly ok: unknown } | { readonly error: KvError });

/** One request of a call, that waits for its answer. */
interface Waiting {
  readonly call: Call;
  /** Its request, as it is sent. */
  readonly text: string;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  sent?: true;
}

interface Call {
  /** Whether a request of it has ever been sent: it may have been done. */
  sent: boolean;
}

/**
 * A bucket's connection. It connects with the first call, and again with the next one after it has broken; calls whose
 * answers were outstanding then end with a {@link ConnectionError}: whether they were done is not known.
 */
export class BucketSession<OwnBucket> {
  readonly bucket: OwnBucket;
  readonly #url: URL;
  readonly #token: string | undefined;
  readonly #options: SessionOptions;
  readonly #refusal: () => Promise<unknown>;
  readonly #waiting = new Map<number, Waiting>();
  #connecting: Promise<Socket> | undefined;
  /** The latest: what an older one has to say is over. */
  #current: Socket | undefined;
  #flushing = false;
  #next = 1;
  /** Since when something is awaited and nothing has come. */
  #silentSince: number | undefined;
  /** Characters that have come since the service was told so. */
  #unacked = 0;
  #closed = false;

  /** @param refusal asks over HTTP why a connection was refused, which a WebSocket does not say; throws that */
  constructor(
    open: (caller: Caller) => OwnBucket,
    refusal: () => Promise<unknown>,
    url: URL,
    token: string | undefined,
    options: SessionOptions,
  ) {
    this.#url = url;
    this.#token = token;
    this.#options = options;
    this.#refusal = refusal;
    this.bucket = open({
      batch: (operations, call) => {
        const repeats = onlyRead(operations) ? options.retries : 0;
        return this.#call({ batch: operations }, call, repeats);
      },
      transact: (transaction, { idempotencyKey, ...call }: CallOptions & OnceOptions) =>
        idempotencyKey === undefined
          ? this.#call({ transaction }, call, onlyReads(transaction) ? options.retries : 0)
          : this.#call({ transaction, idempotencyKey }, call, options.retries),
      list: (query, call) => this.#call({ list: query }, call, options.retries),
    });
  }

  /** Ends the connection. Calls whose answers are outstanding end with an error. */
  close(): void {
    this.#closed = true;
    this.#fail(new ConnectionError("connection_lost", "The session was closed before the answer came."));
    this.#current?.close(); // one that is still opening, too
    const closed = sessionClosed();
    for (const { reject } of this.#waiting.values()) reject(closed);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @param repeats how often it may be sent again, where it is not known whether it was done */
  async #call(request: JsonObject, options: CallOptions, repeats: number): Promise<unknown> {
    const limits = { signal: options.signal, timeoutMs: options.timeoutMs ?? this.#options.timeoutMs };
    const call: Call = { sent: false };
    try {
      return await within(limits, (signal) => this.#attempts(request, call, repeats, signal));
    } catch (error) {
      // What was never sent was not done, however long it waited; what was sent once may have been.
      if (error instanceof TimeoutError && !call.sent) throw notConnected(error);
      if (error instanceof ConnectionError && call.sent && !error.outcomeUnknown) throw broken(error);
      throw error;
    }
  }

  async #attempts(request: JsonObject, call: Call, repeats: number, signal: AbortSignal): Promise<unknown> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#send(request, call, signal);
      } catch (error) {
        if (signal.aborted || !(error instanceof KvError) || this.#closed) throw error;
        // Of a message whose answers grew too long the rest was not done: that goes in the next one.
        const notDone = error.code === "answers_too_long";
        // To connect has been tried several times already.
        const lost = error instanceof ConnectionError && error.code !== "not_connected";
        if (!notDone && !(lost && attempt < repeats)) throw error;
        if (!notDone) await pause(backoff(attempt, this.#options.retryBaseMs), signal);
      }
    }
  }

  #send(request: JsonObject, call: Call, signal: AbortSignal): Promise<unknown> {
    const id = this.#next;
    this.#next += 1;
    // Written now: one that can't be is its caller's, and not those' that travel with it.
    const text = jsonText({ id, ...request });
    if (isLargerThan(MAX_REQUEST_BYTES, text)) return Promise.reject(requestTooLarge());
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { call, text, resolve, reject });
      signal.addEventListener("abort", () => this.#giveUp(id, signal.reason), { once: true });
    });
    // What is asked for in the same turn goes in one message.
    if (!this.#flushing) {
      this.#flushing = true;
      queueMicrotask(() => void this.#flush());
    }
    return answered.finally(() => this.#waiting.delete(id));
  }

  /** A call is over before its answer has come. If nothing at all has come for too long, the connection is dead. */
  #giveUp(id: number, reason: unknown): void {
    this.#waiting.get(id)?.reject(reason);
    // Whoever sends what waits must not come before that is heard of.
    this.#waiting.delete(id);
    // One call's short patience is no sign of that, and nothing that the others should end with.
    const silence = performance.now() - (this.#silentSince ?? Infinity);
    const limit = Math.min(MAX_SILENCE_MS, this.#options.timeoutMs);
    if (reason instanceof TimeoutError && silence >= limit) {
      this.#drop(
        new ConnectionError("connection_lost", "The session's connection does not answer any more."),
      );
    }
  }

  #drop(why: KvError): void {
    const connecting = this.#connecting;
    this.#connecting = undefined;
    void connecting?.then((socket) => socket.close()).catch(() => undefined);
    this.#fail(why);
  }

  async #flush(): Promise<void> {
    let failure: unknown;
    for (let tries = 0; tries <= this.#options.retries; tries += 1) {
      if (tries > 0) {
        await pause(waitAskedFor(failure) + backoff(tries - 1, this.#options.retryBaseMs), undefined);
      }
      try {
        const socket = await this.#connect();
        this.#flushing = false;
        for (const message of this.#messages()) socket.send(message);
        return;
      } catch (error) {
        // Nothing was sent, so to try again is safe.
        failure = error;
        if (this.#closed || (error instanceof KvError && !(error instanceof ConnectionError))) break;
        if (this.#unsent().length === 0) break;
      }
    }
    this.#flushing = false;
    for (const { reject } of this.#unsent()) reject(failure);
  }

  #unsent(): Waiting[] {
    return [...this.#waiting.values()].filter(({ sent }) => sent === undefined);
  }

  /** What has not been sent, in messages that are neither too long to be taken nor too many to be answered. */
  *#messages(): Generator<string, void, void> {
    let texts: string[] = [];
    let length = 0;
    for (const waiting of this.#unsent()) {
      if (texts.length === MAX_REQUESTS || (length > 0 && length + waiting.text.length > MAX_LENGTH)) {
        yield `[${texts.join(",")}]`;
        texts = [];
        length = 0;
      }
      waiting.sent = true;
      waiting.call.sent = true;
      this.#silentSince ??= performance.now();
      texts.push(waiting.text);
      length += waiting.text.length;
    }
    if (texts.length > 0) yield `[${texts.join(",")}]`;
  }

  #connect(): Promise<Socket> {
    if (this.#closed) throw sessionClosed();
    return (this.#connecting ??= this.#open());
  }

  async #open(): Promise<Socket> {
    const socket = openSocket(this.#url, this.#token, this.#options.WebSocket);
    const opened = new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("message", ({ data }) => {
        if (this.#current === socket) this.#hear(String(data), socket);
      });
      const lost = (): void => {
        reject(notConnected());
        if (this.#current === socket) this.#lose(broken());
      };
      socket.addEventListener("close", lost);
      socket.addEventListener("error", lost);
    });
    this.#current = socket;
    this.#unacked = 0;
    try {
      await within({ timeoutMs: this.#options.timeoutMs }, (signal) => {
        signal.addEventListener("abort", () => socket.close(), { once: true });
        return opened;
      });
    } catch (error) {
      this.#connecting = undefined;
      throw await this.#whyNot(error);
    }
    return socket;
  }

  /** Why it could not connect: the service's own words, where it has refused it. */
  async #whyNot(error: unknown): Promise<KvError> {
    if (this.#closed) return sessionClosed();
    // Who does not answer one question does not answer the next one either.
    if (error instanceof TimeoutError) return notConnected(error);
    try {
      await this.#refusal();
    } catch (refusal) {
      if (refusal instanceof KvError && !refusal.outcomeUnknown) return refusal;
      return notConnected(refusal);
    }
    return notConnected(error);
  }

  #lose(error: ConnectionError): void {
    this.#connecting = undefined;
    this.#fail(error);
  }

  #hear(text: string, socket: Socket): void {
    this.#unacked += text.length;
    if (this.#unacked >= ACK_AFTER) {
      socket.send(`{"ack":${this.#unacked}}`);
      this.#unacked = 0;
    }
    let answers: readonly Answer[];
    try {
      answers = answersIn(text);
    } catch (error) {
      // What else it has to say is of somebody else too.
      this.#drop(error as KvError);
      return;
    }
    for (const answer of answers) {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ("ok" in answer) waiting?.resolve(answer.ok);
      else waiting?.reject(answer.error);
    }
    // The oldest stands first, and what has not been sent is behind what has.
    const [oldest] = this.#waiting.values();
    this.#silentSince = oldest?.sent ? performance.now() : undefined;
  }

  /** All whose requests have been sent. Those that have not wait for the next connection. */
  #fail(error: unknown): void {
    this.#silentSince = undefined;
    for (const { sent, reject } of this.#waiting.values()) if (sent) reject(error);
  }
}

/** @throws {KvError} `unexpected_answer` */
function answersIn(text: string): Answer[] {
  const told = parsed(text);
  if (!Array.isArray(told)) throw unexpected("it is no JSON array.");
  return told.map((member: unknown) => {
    const answer = shaped<AnswerWire>(member, { id: "number" });
    const { id, ok, error } = answer;
    if ("ok" in answer) return { id, ok };
    return { id, error: errorOf(shaped(error, FAILURE)) };
  });
}

function notConnected(cause?: unknown): ConnectionError {
  const why = "The session could not connect. Nothing was sent.";
  return new ConnectionError("not_connected", why, { cause });
}

function broken(cause?: unknown): ConnectionError {
  return new ConnectionError("connection_lost", "The session's connection broke.", { cause });
}

function sessionClosed(): ConnectionError {
  return new ConnectionError("session_closed", "The session is closed. Nothing was sent.");
}

function requestTooLarge(): KvError {
  const detail = `A request on a session has at most ${MAX_REQUEST_BYTES} bytes of JSON. Send it in parts.`;
  return errorOf({ code: "body_too_large", status: 413, detail });
}
