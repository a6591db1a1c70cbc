/**
 * Requests whose response is read whole. Under Node they go to the dispatcher below `fetch`, and not through `fetch` itself,
 * which takes twice as much of the client's processor for its streams and its `Request`, `Headers` and `Response`.
 */

import type { Exchange } from "./http.ts";
import type { WholeResponse } from "./http-response.ts";
import { NO_TIMEOUTS, nodeDispatcher, type Dispatcher } from "./node-dispatcher.ts";
import { platformFetch } from "./platform-fetch.ts";
import { Receiver } from "./undici-receiver.ts";

/** A request like that of `fetch`, to the same effect. */
export const platformExchange: Exchange = (url, init) => {
  const dispatcher = nodeDispatcher();
  const { body } = init;
  // A program that has put a `fetch` of its own in the place of Node's, as tests and tracers do, wants to see requests.
  if (dispatcher === undefined || body instanceof ReadableStream || !isNodes(globalThis.fetch)) {
    return platformFetch(url, init);
  }
  return exchange(dispatcher, url, init as DispatchedInit);
};

interface DispatchedInit {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
}

/** How Node's own `fetch` begins the work: it loads the undici that is built in. */
const NODES_SOURCE = /internal\/deps\/undici|lazyUndici/;
const latest: { fetch: unknown; isNodes: boolean } = { fetch: undefined, isNodes: false };

function isNodes(present: typeof fetch): boolean {
  if (latest.fetch !== present) {
    latest.isNodes =
      typeof present === "function" && NODES_SOURCE.test(Function.prototype.toString.call(present));
    latest.fetch = present;
  }
  return latest.isNodes;
}

/** What `fetch` sends, too: some services refuse requests without them. */
const USUAL_HEADERS = { accept: "*/*", "accept-encoding": "gzip", "user-agent": "node" };
const TEXT = { "content-type": "text/plain;charset=UTF-8" };

function exchange(
  dispatcher: Dispatcher,
  url: string,
  { method, headers, body, signal }: DispatchedInit,
): Promise<WholeResponse> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const receiver = new Receiver(resolve, reject);
    signal.addEventListener("abort", () => receiver.abort(signal.reason as Error), { once: true });
    const path = url.indexOf("/", url.indexOf("//") + 2);
    const all: Record<string, string> = { ...USUAL_HEADERS, ...(typeof body === "string" ? TEXT : {}) };
    for (const [name, value] of Object.entries(headers)) all[name.toLowerCase()] = value;
    const request = {
      origin: url.slice(0, path),
      path: url.slice(path),
      method,
      headers: all,
      body: body ?? null,
    };
    dispatcher.dispatch({ ...request, ...NO_TIMEOUTS }, receiver);
  });
}
