/** Requests over HTTP: with a deadline, the token, and another try where that is safe. */

import { abortable } from "./abortable.ts";
import { parsed, shaped, unexpected, type Shape } from "./answers.ts";
import { backoff, pause, relay, within } from "./deadline.ts";
import { ConnectionError, errorOf, KvError } from "./errors.ts";
import { refused } from "./options.ts";
import { retryAfterMs, waitAskedFor } from "./retry-after.ts";

/** What is used of the platform's `fetch`. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface HttpOptions {
  readonly url: string;
  readonly token: string | undefined;
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  /** How often something safe is tried again. */
  readonly retries: number;
  /** How long a stream may say nothing, in milliseconds, before it is taken to be broken. */
  readonly silenceMs: number;
  /** The wait before the first of these, at most, in milliseconds; doubled each time. */
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
   * Whether twice is as good as once: what only reads, ensures or carries an idempotency key. Nothing else is
   * repeated: between two tries somebody else may have written.
   */
  readonly safe: boolean;
  /** What the content type of a stream begins with, if it is the service's. */
  readonly type?: string;
  /** Statuses that are answers too, beside those below 300. */
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

  /** The address of a path, of the service or of its WebSockets. */
  address(path: string, query: HttpRequest["query"] = {}): URL {
    const url = new URL(this.#options.url);
    url.pathname = url.pathname.replace(/\/$/, "") + path;
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, wellFormed(name, String(value)));
    }
    return url;
  }

  /**
   * Asks, reads the answer with `read`, both within the deadline.
   * @throws {KvError} as the service says; `unexpected_answer`; `ConnectionError`, `TimeoutError`; `InvalidRequestError`
   *   for a header that can't be sent
   */
  async ask<T>(path: string, request: HttpRequest, read: (response: Response) => Promise<T>): Promise<T> {
    const { timeoutMs = this.#options.timeoutMs, signal } = request;
    return within({ signal, timeoutMs }, (deadline) =>
      this.#again(request, { signal: deadline, timeoutMs }, async () =>
        orBroken(read, await this.#once(path, request, deadline), deadline),
      ),
    );
  }

  /**
   * Opens a stream; the deadline is for its beginning only.
   * @returns undefined where the service says that there is nothing more (204)
   * @throws {KvError} as {@link ask}; the stream throws a `ConnectionError` where it breaks off
   */
  async open(path: string, request: HttpRequest): Promise<ReadableStream<Uint8Array> | undefined> {
    const own = new AbortController();
    const { signal, timeoutMs = this.#options.timeoutMs, type = "" } = request;
    const release = relay(signal, own);
    try {
      const { body, status, headers } = await within({ signal, timeoutMs }, async (deadline) => {
        relay(deadline, own);
        const limits = { signal: own.signal, timeoutMs };
        return this.#again(request, limits, () => this.#once(path, request, own.signal));
      });
      if (status !== 204 && !(headers.get("Content-Type") ?? "").startsWith(type)) {
        throw unexpected(`HTTP ${status}, and not ${type}.`, status);
      }
      if (body !== null) return abortable(body, own.signal, { ended: release, broken: streamBroken });
      release();
      return undefined;
    } catch (error) {
      release();
      own.abort();
      throw error;
    }
  }

  /** Until it is answered, or may not be asked again. */
  async #again<T>(
    request: HttpRequest,
    { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
    ask: () => Promise<T>,
  ): Promise<T> {
    const begun = performance.now();
    for (let attempt = 0; ; attempt += 1) {
      let wait: number;
      try {
        return await ask();
      } catch (error) {
        if (signal.aborted || !this.#mayRetry(request, attempt, error)) throw error;
        wait = waitAskedFor(error) + backoff(attempt, this.#options.retryBaseMs);
        // To come back is too late by then: what was said is worth more than a timeout.
        if (wait > timeoutMs - (performance.now() - begun)) throw error;
      }
      await pause(wait, signal);
    }
  }

  async #once(path: string, request: HttpRequest, signal: AbortSignal): Promise<Response> {
    const { method = "GET", headers = {}, query, body, accept = [] } = request;
    const { token, fetch } = this.#options;
    checkHeaders(headers);
    const { href } = this.address(path, query);
    let response: Response;
    try {
      response = await fetch(href, {
        method,
        // Followed, a POST could become a GET, and the token go to somebody else.
        redirect: "manual",
        headers: { ...headers, ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
        ...(body === undefined ? {} : { body: sendable(body) }),
        // Node wants to be told that the answer may come before the body's end.
        ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
        signal,
      });
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw new ConnectionError(
        "connection_lost",
        `${method} ${path} got no answer. Whether it was done is unknown.`,
        { cause },
      );
    }
    if (response.ok || accept.includes(response.status)) return response;
    throw isRedirect(response) ? redirected(response) : await problemOf(response);
  }

  #mayRetry({ safe, body }: HttpRequest, attempt: number, error: unknown): boolean {
    if (!safe || attempt >= this.#options.retries || body instanceof ReadableStream) return false;
    if (!(error instanceof KvError)) return false;
    return mayPass(error);
  }
}

/** An address would stand for another character, and mean other keys. @throws {InvalidRequestError} `query_invalid` */
function wellFormed(name: string, text: string): string {
  if (text.isWellFormed()) return text;
  throw refused("query_invalid", `${name} has half of a surrogate pair: ${JSON.stringify(text)}.`);
}

/** A header's value (RFC 9110 §5.5): what `fetch` takes, and can send. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** `fetch` tells of these as it does of a connection that broke. @throws {InvalidRequestError} */
function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (HEADER_VALUE.test(value)) continue;
    const code = name === "Content-Type" ? "content_type_invalid" : "header_invalid";
    throw refused(code, `${name} can't be ${JSON.stringify(value)}.`);
  }
}

/** `fetch` takes no memory that is shared: Node would send its bytes' numbers as text. */
function sendable(body: NonNullable<HttpRequest["body"]>): BodyInit {
  const shared = body instanceof Uint8Array && !(body.buffer instanceof ArrayBuffer);
  return (shared ? new Uint8Array(body) : body) as BodyInit;
}

/** Whether it may be better the next time: the connection broke, or somebody on the way has too much to do. */
export function mayPass(error: KvError): boolean {
  return error instanceof ConnectionError || [408, 429].includes(error.status) || error.status >= 500;
}

/** A browser does not show the status. */
function isRedirect({ status, type }: Response): boolean {
  return type === "opaqueredirect" || [301, 302, 303, 307, 308].includes(status);
}

function redirected(response: Response): KvError {
  response.body?.cancel().catch(() => undefined);
  const to = response.headers.get("Location") ?? "another address";
  return unexpected(`it leads to ${to}. Give the client the address that it leads to.`, response.status);
}

/** Reads an answer; one that breaks off is a connection that broke. */
async function orBroken<T>(
  read: (response: Response) => Promise<T>,
  response: Response,
  deadline: AbortSignal,
): Promise<T> {
  try {
    return await read(response);
  } catch (cause) {
    // What is not read to its end would hold the connection.
    response.body?.cancel().catch(() => undefined);
    if (deadline.aborted || cause instanceof KvError) throw cause;
    throw brokenOff(cause);
  }
}

function brokenOff(cause: unknown): ConnectionError {
  const why = "The answer broke off. The request was done, or is still being done.";
  return new ConnectionError("connection_lost", why, { cause });
}

function streamBroken(cause: unknown): ConnectionError {
  const why = "The connection broke before all of it had come.";
  return new ConnectionError("connection_lost", why, { cause });
}

const PROBLEM: Shape<Parameters<typeof errorOf>[0]> = { code: "string", detail: "string" };

async function problemOf(response: Response): Promise<KvError> {
  const { status } = response;
  const text = await response.text().catch(() => "");
  // Not in the service's own words: something between it and us has answered.
  const later = retryAfterMs(response.headers);
  const foreign = unexpected(`HTTP ${status}: ${text.slice(0, 200)}`, status, later);
  if (!(response.headers.get("Content-Type") ?? "").startsWith("application/problem+json")) return foreign;
  try {
    return errorOf({ ...shaped(parsed(text), PROBLEM), status }, later);
  } catch {
    return foreign;
  }
}
