/** Requests over HTTP: with a deadline, the token, and another try where that is safe. */

import { backoff, pause, relay, within } from "./deadline.ts";
import { ConnectionError, errorOf, KvError } from "./errors.ts";

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

  get token(): string | undefined {
    return this.#options.token;
  }

  /** The address of a path, of the service or of its WebSockets. */
  address(path: string, query: HttpRequest["query"] = {}): URL {
    const url = new URL(this.#options.url);
    url.pathname = url.pathname.replace(/\/$/, "") + path;
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }

  /**
   * Asks, reads the answer with `read`, both within the deadline.
   * @throws {KvError} as the service says; `ConnectionError`, `TimeoutError`
   */
  async ask<T>(path: string, request: HttpRequest, read: (response: Response) => Promise<T>): Promise<T> {
    const { timeoutMs = this.#options.timeoutMs, signal } = request;
    return within({ signal, timeoutMs }, async (deadline) => {
      for (let attempt = 0; ; attempt += 1) {
        try {
          return await orBroken(read, await this.#once(path, request, deadline), deadline);
        } catch (error) {
          if (deadline.aborted || !this.#mayRetry(request, attempt, error)) throw error;
        }
        await pause(backoff(attempt, this.#options.retryBaseMs), deadline);
      }
    });
  }

  /** Opens a stream; the deadline is for its beginning only. */
  async open(path: string, request: HttpRequest): Promise<Response> {
    const own = new AbortController();
    const { signal, timeoutMs = this.#options.timeoutMs } = request;
    const release = relay(signal, own);
    try {
      const response = await within({ signal, timeoutMs }, async (deadline) => {
        relay(deadline, own);
        return this.#once(path, request, own.signal);
      });
      const { body, status, headers } = response;
      if (body !== null) return new Response(abortable(body, own.signal, release), { status, headers });
      release();
      return response;
    } catch (error) {
      release();
      own.abort();
      throw error;
    }
  }

  async #once(path: string, request: HttpRequest, signal: AbortSignal): Promise<Response> {
    const { method = "GET", headers = {}, query, body, accept = [] } = request;
    const { token, fetch } = this.#options;
    let response: Response;
    try {
      response = await fetch(this.address(path, query).href, {
        method,
        headers: { ...headers, ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
        ...(body === undefined ? {} : { body: body as BodyInit }),
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
    throw await problemOf(response);
  }

  #mayRetry({ safe, body }: HttpRequest, attempt: number, error: unknown): boolean {
    if (!safe || attempt >= this.#options.retries || body instanceof ReadableStream) return false;
    if (!(error instanceof KvError)) return false;
    return mayPass(error);
  }
}

/**
 * The same bytes, until the signal fires. `fetch` should see to that itself, but Deno's forgets about the signal of an
 * answer that has begun.
 */
function abortable(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  ended: () => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        signal.addEventListener("abort", () => {
          controller.error(signal.reason);
          reader.cancel(signal.reason).catch(() => undefined);
        });
      },
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (!done) {
            controller.enqueue(value);
            return;
          }
          controller.close();
        } catch (error) {
          controller.error(error);
        }
        ended();
      },
      cancel: (reason) => {
        ended();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Whether it may be better the next time: the connection broke, or somebody on the way has too much to do. */
export function mayPass(error: KvError): boolean {
  return error instanceof ConnectionError || [429, 502, 503, 504].includes(error.status);
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
    if (deadline.aborted || cause instanceof KvError) throw cause;
    if (cause instanceof SyntaxError) {
      const detail = `The answer is not the service's: HTTP ${response.status}, and no JSON.`;
      throw errorOf({ code: "unexpected_answer", status: response.status, detail });
    }
    throw new ConnectionError(
      "connection_lost",
      "The answer broke off. The request was done, or is still being done.",
      { cause },
    );
  }
}

async function problemOf(response: Response): Promise<KvError> {
  const { status } = response;
  const text = await response.text().catch(() => "");
  try {
    const problem = JSON.parse(text) as Parameters<typeof errorOf>[0];
    if (typeof problem.code === "string") return errorOf({ ...problem, status });
  } catch {
    // Not the service's own words: something between it and us has answered.
  }
  return errorOf({ code: "unexpected_answer", status, detail: `HTTP ${status}: ${text.slice(0, 200)}` });
}
