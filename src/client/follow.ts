/** A stream of Server-Sent Events, through breaks of the connection. */

import { backoff, pause } from "./deadline.ts";
import { KvError, TimeoutError } from "./errors.ts";
import { mayPass, type Http, type HttpRequest } from "./http.ts";
import { waitAskedFor } from "./retry-after.ts";
import { serverEvents, type ServerEvent } from "./sse.ts";

/** The wait before it comes back the first time, at most, in milliseconds; doubled while that fails. */
const RETRY_BASE_MS = 100;

export interface Following {
  readonly path: string;
  readonly query?: HttpRequest["query"];
  /** Where to begin; moved on by whoever has dealt with an event. */
  position: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** `connected`: a stream has begun, at the position. */
export type Followed = ServerEvent | "connected";

/**
 * The stream's events. Where it ends or breaks it is opened again behind the position; what came meanwhile is in the
 * service's log. It ends where the service says that there is no more to hear (204), or throws what it says.
 */
export async function* follow(http: Http, following: Following): AsyncGenerator<Followed, void, void> {
  const { path, query, signal } = following;
  let attempt = 0;
  let begun = false;
  for (;;) {
    let wait = 0;
    try {
      const { position } = following;
      const headers: Record<string, string> = position === undefined ? {} : { "Last-Event-ID": position };
      // Later it comes back by itself, for as long as it takes.
      const request: HttpRequest = { query, headers, signal, safe: !begun, type: "text/event-stream" };
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
      // Who has never heard anything is told: the address may be wrong.
      if (!begun || !(error instanceof KvError)) throw error;
      if (!(error instanceof TimeoutError || mayPass(error))) throw error;
      wait = waitAskedFor(error);
    }
    await pause(wait + backoff(attempt, RETRY_BASE_MS), signal);
    attempt += 1;
  }
}
