/**
 * A bucket's pipelined connection, a WebSocket.
 *
 * 1. Calls made in one turn of the event loop are sent together, in as few messages as the limits allow, and none waits
 *    for another's response.
 * 2. Responses carry the request's id. Received characters are acknowledged, so that the service can bound its buffer.
 * 3. When the connection breaks, requests that were sent fail (their outcome is unknown) unless they can be repeated;
 *    requests that were not sent wait for the next connection.
 */

// Declares Symbol.dispose for users whose TypeScript settings lack it.
/// <reference lib="esnext.disposable" preserve="true" />

import { operationsOnlyRead, transactionOnlyReads, type Caller, type JsonObject } from "./caller.ts";
import { backoff, pause, relay, timedOut, within } from "./deadline.ts";
import { ConnectionError, KvError, TimeoutError } from "./errors.ts";
import { broken, MAX_REQUEST_BYTES, notConnected, requestTooLarge, sessionClosed } from "./session-errors.ts";
import { isEmptyWithoutBucket, type FirstWrite } from "./first-write.ts";
import { stringifyJson } from "./stringify-json.ts";
import { parseAnswers, type Answer } from "./session-answers.ts";
import { isNotDone, outcomeOf, type Call } from "./session-call.ts";
import { SharedDeadline } from "./shared-deadline.ts";
import { retryAfterOf } from "./retry-after.ts";
import { isLargerThan } from "./byte-length.ts";
import { openSocket, type Socket, type WebSocketClass } from "./socket.ts";
import type { CallOptions, OnceOptions } from "./types.ts";

export interface SessionOptions {
  readonly WebSocket: WebSocketClass | undefined;
  readonly timeoutMs: number;
  /** Retries of a connection attempt, and of a call that can be repeated. */
  readonly retries: number;
  readonly retryBaseMs: number;
}

/** Most requests in one message, and most characters in a message of several requests. */
const MAX_REQUESTS = 500;
const MAX_LENGTH = 2_097_152;
/** Received characters after which the client sends an ack. The service buffers a few megabytes per session. */
const ACK_AFTER = 1_048_576;
/** Milliseconds without a message, while a response is outstanding, after which the connection counts as dead. */
const MAX_SILENCE_MS = 5_000;

/** A request without a response yet. */
interface PendingRequest {
  readonly id: number;
  readonly call: Call;
  /** The request's JSON. */
  readonly text: string;
  /** Whether it can't be answered without a bucket. */
  readonly needsBucket: boolean;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  sent?: true;
}

/**
 * A bucket's pipelined connection. It connects with the first call, and reconnects with the next call after a break.
 * Calls that were outstanding then fail with a {@link ConnectionError}, and their outcome is unknown; calls that can
 * safely be repeated are retried.
 * @example
 * ```ts
 * using session = bucket.session();
 * const puts = [session.bucket.put("milk", 3), session.bucket.put("eggs", 6)];
 * console.log((await Promise.all(puts)).map(({ revision }) => revision)); // [ 1, 2 ]
 * ```
 */
export class BucketSession<OwnBucket> {
  /** The bucket over this connection. */
  readonly bucket: OwnBucket;
  readonly #url: URL;
  readonly #token: string | undefined;
  readonly #options: SessionOptions;
  readonly #askWhyRefused: () => Promise<unknown>;
  readonly #firstWrite: FirstWrite;
  readonly #pending = new Map<number, PendingRequest>();
  readonly #deadlines = new SharedDeadline((now) => this.#expire(now));
  #connecting: Promise<Socket> | undefined;
  /** The latest socket. Events of earlier ones are ignored. */
  #current: Socket | undefined;
  #flushing = false;
  #next = 1;
  /** Time (`performance.now()`) since when a response is outstanding and nothing has been received. */
  #silentSince: number | undefined;
  /** Characters received since the last ack. */
  #unacked = 0;
  #closed = false;

  /**
   * @internal Sessions come from {@link Bucket.session}.
   * @param open creates the bucket on this connection
   * @param firstWrite creates the bucket, if the connection is refused because there is none
   * @param refusal asks over HTTP why a connection was refused, which a WebSocket does not say, and throws that error
   */
  constructor(
    open: (caller: Caller) => OwnBucket,
    firstWrite: FirstWrite,
    refusal: () => Promise<unknown>,
    url: URL,
    token: string | undefined,
    options: SessionOptions,
  ) {
    this.#url = url;
    this.#token = token;
    this.#options = options;
    this.#askWhyRefused = refusal;
    this.#firstWrite = firstWrite;
    this.bucket = open({
      batch: (operations, call) => {
        const repeats = operationsOnlyRead(operations) ? options.retries : 0;
        return this.#call({ batch: operations }, call, repeats);
      },
      transact: (transaction, { idempotencyKey, ...call }: CallOptions & OnceOptions) =>
        idempotencyKey === undefined
          ? this.#call({ transaction }, call, transactionOnlyReads(transaction) ? options.retries : 0)
          : this.#call({ transaction, idempotencyKey }, call, options.retries),
      list: (query, call) => this.#call({ list: query }, call, options.retries),
    });
  }

  /**
   * Closes the connection. Outstanding calls fail with a {@link ConnectionError}.
   * @example
   * ```ts
   * const session = bucket.session();
   * session.close();
   * console.log(await session.bucket.get("milk").catch((error) => error.code)); // session_closed
   * ```
   */
  close(): void {
    this.#closed = true;
    this.#fail(new ConnectionError("connection_lost", "The session was closed before the response arrived."));
    this.#current?.close(); // one that is still opening, too
    const closed = sessionClosed();
    for (const pending of this.#pending.values()) this.#end(pending, closed);
  }

  /** Closes the connection at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @param repeats how often the request may be sent again after its outcome became unknown */
  async #call(request: JsonObject, options: CallOptions, repeats: number): Promise<unknown> {
    const { signal, timeoutMs = this.#options.timeoutMs } = options;
    const call: Call = { sent: false, until: performance.now() + timeoutMs, timeoutMs };
    for (let attempt = 0; ; attempt += 1) {
      try {
        signal?.throwIfAborted();
        return await this.#send(request, call, signal);
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (!this.#mayTryAgain(error, attempt < repeats)) throw outcomeOf(call, error);
        // The responses to this message became too long, and the service skipped the rest: send it again at once.
        if (isNotDone(error)) continue;
        await this.#pauseBefore(attempt, call, signal);
      }
    }
  }

  #mayTryAgain(error: unknown, repeats: boolean): boolean {
    if (!(error instanceof KvError) || error instanceof TimeoutError || this.#closed) return false;
    // Connecting was already retried in #flush.
    const lost = error instanceof ConnectionError && error.code !== "not_connected";
    return isNotDone(error) || (lost && repeats);
  }

  async #pauseBefore(attempt: number, call: Call, signal: AbortSignal | undefined): Promise<void> {
    const limits = { signal, timeoutMs: Math.max(1, call.until - performance.now()) };
    try {
      await within(limits, (own) => pause(backoff(attempt, this.#options.retryBaseMs), own));
    } catch (error) {
      throw error instanceof TimeoutError ? outcomeOf(call, timedOut(call.timeoutMs)) : error;
    }
  }

  #send(request: JsonObject, call: Call, signal: AbortSignal | undefined): Promise<unknown> {
    const id = this.#next;
    this.#next += 1;
    // Encode now, so that a value that can't be encoded fails this call only, and not the others in the message.
    const text = stringifyJson({ id, ...request });
    if (isLargerThan(MAX_REQUEST_BYTES, text)) return Promise.reject(requestTooLarge());
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { id, call, text, needsBucket: needsBucket(request), resolve, reject });
    });
    this.#deadlines.watch(call.until);
    // Send at the end of this turn, so that its calls share a message.
    if (!this.#flushing) {
      this.#flushing = true;
      queueMicrotask(() => void this.#flush());
    }
    if (signal === undefined) return answered;
    const own = new AbortController();
    const release = relay(signal, own);
    own.signal.addEventListener("abort", () => this.#giveUp(id, own.signal.reason), { once: true });
    return answered.finally(release);
  }

  /** Ends the calls whose time is over. @returns when the next one's is; undefined if none is outstanding */
  #expire(now: number): number | undefined {
    for (const [id, { call }] of this.#pending) {
      if (call.until <= now) this.#giveUp(id, timedOut(call.timeoutMs));
    }
    // After that: giving one up may have ended others, too, with their connection.
    let next: number | undefined;
    for (const { call } of this.#pending.values()) next = Math.min(next ?? Infinity, call.until);
    return next;
  }

  /** Ends a call without a response, and forgets it. If nothing at all was received for too long, closes the dead connection, too. */
  #giveUp(id: number, reason: unknown): void {
    const pending = this.#pending.get(id);
    if (pending !== undefined) this.#end(pending, reason);
    // One call's short timeout does not mean that the connection is dead, and must not fail the others.
    const silence = performance.now() - (this.#silentSince ?? Infinity);
    const limit = Math.min(MAX_SILENCE_MS, this.#options.timeoutMs);
    if (reason instanceof TimeoutError && silence >= limit) {
      this.#disconnect(
        new ConnectionError("connection_lost", "The session's connection no longer responds."),
      );
    }
  }

  #disconnect(why: KvError): void {
    const connecting = this.#connecting;
    this.#connecting = undefined;
    void connecting?.then((socket) => socket.close()).catch(() => undefined);
    this.#fail(why);
  }

  async #flush(): Promise<void> {
    let failure: unknown;
    for (let tries = 0; tries <= this.#options.retries; tries += 1) {
      if (tries > 0) {
        await pause(retryAfterOf(failure) + backoff(tries - 1, this.#options.retryBaseMs), undefined);
      }
      try {
        const socket = await this.#connectToBucket();
        this.#flushing = false;
        for (const message of this.#takeMessages()) socket.send(message);
        return;
      } catch (error) {
        // Nothing was sent, so a retry is safe.
        failure = error;
        if (this.#closed || (error instanceof KvError && !(error instanceof ConnectionError))) break;
        if (this.#unsent().length === 0) break;
      }
    }
    this.#flushing = false;
    for (const pending of this.#unsent()) this.#end(pending, failure);
  }

  /**
   * Connects. If there is no bucket, and one of the waiting calls needs it, creates it first: here, and not in each call,
   * so that all of them still run in their order.
   */
  async #connectToBucket(): Promise<Socket> {
    try {
      return await this.#connect();
    } catch (error) {
      const isNeeded = this.#unsent().some((pending) => pending.needsBucket);
      if (!isNeeded || !(await this.#firstWrite.created(error, {}))) throw error;
      return this.#connect();
    }
  }

  #unsent(): PendingRequest[] {
    return [...this.#pending.values()].filter(({ sent }) => sent === undefined);
  }

  /** Packs the unsent requests into messages within the service's limits, and marks them as sent. */
  *#takeMessages(): Generator<string, void, void> {
    let texts: string[] = [];
    let length = 0;
    for (const pending of this.#unsent()) {
      if (texts.length === MAX_REQUESTS || (length > 0 && length + pending.text.length > MAX_LENGTH)) {
        yield `[${texts.join(",")}]`;
        texts = [];
        length = 0;
      }
      pending.sent = true;
      pending.call.sent = true;
      this.#silentSince ??= performance.now();
      texts.push(pending.text);
      length += pending.text.length;
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
        if (this.#current === socket) this.#receive(String(data), socket);
      });
      const lost = (): void => {
        reject(notConnected());
        if (this.#current === socket) this.#disconnected(broken());
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
      throw await this.#connectError(error);
    }
    return socket;
  }

  /** The error for a failed connect: the service's own, if it refused the connection. */
  async #connectError(error: unknown): Promise<KvError> {
    if (this.#closed) return sessionClosed();
    // After a timeout, another request would time out as well.
    if (error instanceof TimeoutError) return notConnected(error);
    try {
      await this.#askWhyRefused();
    } catch (refusal) {
      if (refusal instanceof KvError && !refusal.outcomeUnknown) return refusal;
      return notConnected(refusal);
    }
    return notConnected(error);
  }

  #disconnected(error: ConnectionError): void {
    this.#connecting = undefined;
    this.#fail(error);
  }

  #receive(text: string, socket: Socket): void {
    this.#unacked += text.length;
    if (this.#unacked >= ACK_AFTER) {
      socket.send(`{"ack":${this.#unacked}}`);
      this.#unacked = 0;
    }
    let answers: readonly Answer[];
    try {
      answers = parseAnswers(text);
    } catch (error) {
      // Not a message of the service: trust nothing more from this connection.
      this.#disconnect(error as KvError);
      return;
    }
    for (const answer of answers) {
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if ("ok" in answer) pending?.resolve(answer.ok);
      else pending?.reject(answer.error);
    }
    // The map keeps the order of insertion, and requests are sent in it: if the oldest is unsent, all are.
    const [oldest] = this.#pending.values();
    this.#silentSince = oldest?.sent ? performance.now() : undefined;
    if (oldest === undefined) this.#deadlines.stop();
  }

  /** Fails the requests that were sent. The others wait for the next connection. */
  #fail(error: unknown): void {
    this.#silentSince = undefined;
    for (const pending of this.#pending.values()) if (pending.sent) this.#end(pending, error);
  }

  /** Fails a request. It is deleted now, and not when the rejection is handled: #flush may run first, and would send it. */
  #end(pending: PendingRequest, error: unknown): void {
    this.#pending.delete(pending.id);
    pending.reject(error);
    if (this.#pending.size === 0) this.#deadlines.stop();
  }
}

function needsBucket(request: JsonObject): boolean {
  if (Array.isArray(request["batch"])) return !isEmptyWithoutBucket(request["batch"] as JsonObject[]);
  return "transaction" in request;
}
