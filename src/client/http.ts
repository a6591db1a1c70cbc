/** HTTP requests with the token, a deadline, and retries of repeatable calls. */

import { abortable } from "./abortable.ts";
import { parseAnswer, checkShape, unexpectedAnswer, type Shape } from "./answers.ts";
import { backoff, pause, relay, within } from "./deadline.ts";
import { ConnectionError, errorOf, KvError } from "./errors.ts";
import type { HttpResponse } from "./http-response.ts";
import { invalidRequest } from "./options.ts";
import { retryAfterMs, retryAfterOf } from "./retry-after.ts";

/** The part of the platform's `fetch` that the client uses. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;
/** A `fetch` whose response may be one that has arrived whole. */
export type Exchange = (url: string, init: RequestInit) => Promise<HttpResponse>;

export interface HttpOptions {
  readonly url: string;
  readonly token: string | undefined;
  /** For streams. */
  readonly fetch: Fetch;
  /** For responses that are read whole. */
  readonly exchange: Exchange;
  readonly timeoutMs: number;
  /** Retries of a repeatable request. */
  readonly retries: number;
  /** Milliseconds without a byte after which an event stream counts as broken. */
  readonly silenceMs: number;
  /** Longest wait before the first retry, in milliseconds; doubled with each retry. */
  readonly retryBaseMs: number;
}

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  /**
   * Whether sending it twice has the effect of sending it once: it only reads, ensures that something exists, or has an
   * idempotency key. Only these are retried: a second put could undo what another client wrote after the first.
   */
  readonly repeatable: boolean;
  /** Content type that a stream of the service begins with. */
  readonly type?: string;
  /** Statuses from 300 up that count as success. */
  readonly accept?: readonly number[];
}

export class Http {
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  get silenceMs(): number {
    return this.#options.silenceMs;
  }

  get retryBaseMs(): number {
    return this.#options.retryBaseMs;
  }

  get token(): string | undefined {
    return this.#options.token;
  }

  /** The URL of a path of the service. */
  address(path: string, query: HttpRequest["query"] = {}): URL {
    const url = new URL(this.#options.url);
    url.pathname = url.pathname.replace(/\/$/, "") + path;
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, wellFormed(name, String(value)));
    }
    return url;
  }

  /**
   * Sends a request and reads the response with `read`, both within the deadline.
   * @throws {KvError} the service's error, or `unexpected_answer` if the response is not the service's
   * @throws {ConnectionError} `connection_lost`
   * @throws {TimeoutError} `timeout`
   * @throws {InvalidRequestError} for a header that can't be sent
   */
  async ask<T>(path: string, request: HttpRequest, read: (response: HttpResponse) => Promise<T>): Promise<T> {
    const { timeoutMs = this.#options.timeoutMs, signal } = request;
    return within({ signal, timeoutMs }, (deadline) =>
      this.#withRetries(request, { signal: deadline, timeoutMs }, async () =>
        readAnswer(read, await this.#once(this.#options.exchange, path, request, deadline), deadline),
      ),
    );
  }

  /**
   * Opens a stream. The deadline covers the time until the response begins, not the stream itself.
   * @returns undefined if the service answers 204 (no more events)
   * @throws {KvError} as {@link ask}; the stream fails with a `ConnectionError` if the connection breaks
   */
  async open(path: string, request: HttpRequest): Promise<ReadableStream<Uint8Array> | undefined> {
    const own = new AbortController();
    const { signal, timeoutMs = this.#options.timeoutMs, type = "" } = request;
    const release = relay(signal, own);
    try {
      const { body, status, headers } = await within({ signal, timeoutMs }, async (deadline) => {
        relay(deadline, own);
        const limits = { signal: own.signal, timeoutMs };
        return this.#withRetries(request, limits, () =>
          this.#once(this.#options.fetch, path, request, own.signal),
        );
      });
      if (status !== 204 && !(headers.get("Content-Type") ?? "").startsWith(type)) {
        throw unexpectedAnswer(`HTTP ${status}, and not ${type}.`, status);
      }
      if (body !== null) return abortable(body, own.signal, { onEnd: release, mapError: streamBroken });
      release();
      return undefined;
    } catch (error) {
      release();
      own.abort();
      throw error;
    }
  }

  /** Calls `ask` until it succeeds, or fails in a way that must not be retried. */
  async #withRetries<T>(
    request: HttpRequest,
    { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
    ask: () => Promise<T>,
  ): Promise<T> {
    const begun = performance.now();
    let unknown: KvError | undefined;
    for (let attempt = 0; ; attempt += 1) {
      let wait: number;
      try {
        return await ask();
      } catch (caught) {
        const error = stillUnknown(unknown, caught);
        if (signal.aborted || !this.#mayRetry(request, attempt, caught)) throw error;
        // A read changes nothing, and its last error says most.
        if (error instanceof KvError && error.outcomeUnknown && !isRead(request)) unknown ??= error;
        wait = retryAfterOf(caught) + backoff(attempt, this.#options.retryBaseMs);
        // The deadline would pass during the wait: this error says more than a timeout would.
        if (wait > timeoutMs - (performance.now() - begun)) throw error;
      }
      await pause(wait, signal);
    }
  }

  async #once<Answer extends HttpResponse>(
    send: (url: string, init: RequestInit) => Promise<Answer>,
    path: string,
    request: HttpRequest,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { method = "GET", headers = {}, query, body, accept = [] } = request;
    const { token } = this.#options;
    checkHeaders(headers);
    const { href } = this.address(path, query);
    let response: Answer;
    try {
      response = await send(href, {
        method,
        // If redirects were followed, a POST could become a GET, and the token could go to another host.
        redirect: "manual",
        headers: { ...headers, ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
        ...(body === undefined ? {} : { body: sendable(body) }),
        // Required by Node for streamed request bodies.
        ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
        signal,
      });
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      // A `fetch` of our own that knows that nothing was sent.
      if (cause instanceof KvError) throw cause;
      if (isUnreached(cause)) {
        const { origin } = new URL(href);
        const why = `${method} ${path} was not sent: there is no connection to ${origin}.`;
        throw new ConnectionError("not_connected", why, { cause });
      }
      throw new ConnectionError(
        "connection_lost",
        `${method} ${path} got no response. Whether it was done is unknown.${hintFor(href)}`,
        { cause },
      );
    }
    if (response.ok || accept.includes(response.status)) return response;
    throw isRedirect(response) ? redirected(response) : await readProblem(response);
  }

  #mayRetry({ repeatable, body }: HttpRequest, attempt: number, error: unknown): boolean {
    if (!repeatable || attempt >= this.#options.retries || body instanceof ReadableStream) return false;
    if (!(error instanceof KvError)) return false;
    return isTransient(error);
  }
}

function isRead({ method = "GET" }: HttpRequest): boolean {
  return method === "GET" || method === "HEAD";
}

/** A URL would replace half a surrogate pair, and so name another key. @throws {InvalidRequestError} `query_invalid` */
function wellFormed(name: string, text: string): string {
  if (text.isWellFormed()) return text;
  throw invalidRequest("query_invalid", `${name} has half of a surrogate pair: ${JSON.stringify(text)}.`);
}

/** A header value (RFC 9110 §5.5) that `fetch` accepts and can send. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** `fetch` reports an invalid header as if the connection had failed. @throws {InvalidRequestError} */
function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (HEADER_VALUE.test(value)) continue;
    const code = name === "Content-Type" ? "content_type_invalid" : "header_invalid";
    throw invalidRequest(code, `${name} can't be ${JSON.stringify(value)}.`);
  }
}

/** Copies shared memory, which `fetch` does not accept: Node would send the byte values as decimal text. */
function sendable(body: NonNullable<HttpRequest["body"]>): BodyInit {
  const shared = body instanceof Uint8Array && !(body.buffer instanceof ArrayBuffer);
  return (shared ? new Uint8Array(body) : body) as BodyInit;
}

/** The system's codes for a connection that was never made. Only Node, Deno and Bun tell them. */
const UNREACHED = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/** Whether nothing was sent, because there was no connection at any of the host's addresses. */
function isUnreached(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined;
  const all: readonly unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  return (
    all.length > 0 &&
    all.every((one) => UNREACHED.has((one as { readonly code?: string } | undefined)?.code ?? ""))
  );
}

/**
 * A browser hides why a request to another origin failed. Most often the service does not know the page's origin.
 * @param href the request's address
 */
function hintFor(href: string): string {
  const { location } = globalThis as { readonly location?: { readonly origin?: string } };
  const origin = location?.origin;
  if (origin === undefined || origin === new URL(href).origin) return "";
  return ` If the service runs: it serves pages of ${origin} only if its setting KV_ORIGINS lists that origin.`;
}

/** Whether a retry may succeed: the connection broke, or the service or a proxy is overloaded. */
export function isTransient(error: KvError): boolean {
  return error instanceof ConnectionError || [408, 429].includes(error.status) || error.status >= 500;
}

/** The statuses and codes of refusals by the bucket itself: it has looked at what was asked, and at what it did before. */
const LOOKED_AT = new Set<number | string>([409, 412, 422, "bucket_not_found", "key_not_found"]);

/** A change whose outcome was unknown once stays so, unless the bucket has looked at it again. */
function stillUnknown(unknown: KvError | undefined, error: unknown): unknown {
  if (unknown === undefined || !(error instanceof KvError) || error.outcomeUnknown) return error;
  if (LOOKED_AT.has(error.status) || LOOKED_AT.has(error.code)) return error;
  const why = `${unknown.message} A later attempt: ${error.message}`;
  return new ConnectionError("connection_lost", why, { cause: error });
}

/** Browsers hide the status of a redirect and report `opaqueredirect` instead. */
function isRedirect({ status, type }: HttpResponse): boolean {
  return type === "opaqueredirect" || [301, 302, 303, 307, 308].includes(status);
}

function redirected(response: HttpResponse): KvError {
  response.body?.cancel().catch(() => undefined);
  const to = response.headers.get("Location") ?? "another address";
  return unexpectedAnswer(`it redirects to ${to}. Give the client that address.`, response.status);
}

/** Reads a response. If the body breaks off, the error is a `ConnectionError`. */
async function readAnswer<T>(
  read: (response: HttpResponse) => Promise<T>,
  response: HttpResponse,
  deadline: AbortSignal,
): Promise<T> {
  try {
    return await read(response);
  } catch (cause) {
    // An unread body would keep the connection busy.
    response.body?.cancel().catch(() => undefined);
    if (deadline.aborted || cause instanceof KvError) throw cause;
    throw answerBroken(cause);
  }
}

function answerBroken(cause: unknown): ConnectionError {
  const why = "The response broke off. The request was done, or is still being done.";
  return new ConnectionError("connection_lost", why, { cause });
}

function streamBroken(cause: unknown): ConnectionError {
  const why = "The connection broke before all data had arrived.";
  return new ConnectionError("connection_lost", why, { cause });
}

const PROBLEM: Shape<Parameters<typeof errorOf>[0]> = { code: "string", detail: "string" };

async function readProblem(response: HttpResponse): Promise<KvError> {
  const { status } = response;
  const text = await response.text().catch(() => "");
  // Not problem details, so not the service's: a proxy or gateway has answered.
  const later = retryAfterMs(response.headers);
  const foreign = unexpectedAnswer(
    `its status is ${status} and its body begins with ${JSON.stringify(text.slice(0, 200))}.`,
    status,
    later,
  );
  if (!(response.headers.get("Content-Type") ?? "").startsWith("application/problem+json")) return foreign;
  try {
    return errorOf({ ...checkShape(parseAnswer(text), PROBLEM), status }, later);
  } catch {
    return foreign;
  }
}
