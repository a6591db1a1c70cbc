/** A stream of Server-Sent Events that reconnects and resumes by itself. */

import { backoff, pause } from "./deadline.ts";
import { KvError, TimeoutError } from "./errors.ts";
import { isTransient, type Http, type HttpRequest } from "./http.ts";
import { retryAfterOf } from "./retry-after.ts";
import { serverEvents, type ServerEvent } from "./sse.ts";

/** Longest wait before the first reconnect, in milliseconds; doubled with each failure. */
const RETRY_BASE_MS = 100;

export interface ResumableStream {
  readonly path: string;
  readonly query?: HttpRequest["query"];
  /** The id to resume after. The consumer moves it on once it has handled an event. */
  position: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** `connected`: a connection has been opened at the current position. */
export type FollowEvent = ServerEvent | "connected";

/**
 * The stream's events. When the connection ends or breaks, it reconnects after the position; the service replays what
 * happened meanwhile from its log. Ends when the service answers 204 (no more events).
 * @throws {KvError} an error that a retry can't mend, and any error before the first connection
 */
export async function* follow(http: Http, stream: ResumableStream): AsyncGenerator<FollowEvent, void, void> {
  const { path, query, signal } = stream;
  let attempt = 0;
  let begun = false;
  for (;;) {
    let wait = 0;
    try {
      const { position } = stream;
      const headers: Record<string, string> = position === undefined ? {} : { "Last-Event-ID": position };
      // Only the first connection is retried by `open`. Later ones are retried here, without a limit.
      const request: HttpRequest = { query, headers, signal, repeatable: !begun, type: "text/event-stream" };
      const body = await http.open(path, request);
      if (body === undefined) return;
      begun = true;
      yield "connected";
      for await (const event of serverEvents(body, http.silenceMs)) {
        attempt = 0;
        yield event;
      }
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      // Never connected yet: report it, because the address may be wrong.
      if (!begun || !(error instanceof KvError)) throw error;
      if (!(error instanceof TimeoutError || isTransient(error))) throw error;
      wait = retryAfterOf(error);
    }
    await pause(wait + backoff(attempt, RETRY_BASE_MS), signal);
    attempt += 1;
  }
}
