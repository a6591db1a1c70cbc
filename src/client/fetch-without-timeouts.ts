/**
 * The platform's `fetch` without Node's own timeouts, which end a request after 300 s without a byte (undici's
 * `headersTimeout` and `bodyTimeout`), although the caller's deadline may be longer.
 */

import type { Fetch } from "./http.ts";

/** Where undici, whether built in or installed, keeps its dispatcher (Node 20, 22, 24). */
const GLOBAL_DISPATCHER = Symbol.for("undici.globalDispatcher.1");

interface Dispatcher {
  readonly dispatch: (options: object, handler: unknown) => boolean;
  readonly isMockActive?: boolean;
}

export const fetchWithoutTimeouts: Fetch = (url, init) => {
  // `dispatcher` is an option of undici only; other platforms do not get it.
  const dispatcher = dispatcherWithoutTimeouts();
  return fetch(url, dispatcher === undefined ? init : ({ ...init, dispatcher: dispatcher } as RequestInit));
};

/** The current dispatcher with the two timeouts off. Its other settings, such as a proxy, stay. */
function dispatcherWithoutTimeouts(): Dispatcher | undefined {
  // Node loads undici, and so sets the dispatcher, when one of its classes is first used.
  void globalThis.Headers;
  const { [GLOBAL_DISPATCHER]: usual } = globalThis as { [GLOBAL_DISPATCHER]?: Dispatcher };
  if (usual === undefined) return undefined;
  return {
    dispatch: (options, handler) =>
      usual.dispatch({ ...options, headersTimeout: 0, bodyTimeout: 0 }, handler),
    get isMockActive() {
      return usual.isMockActive ?? false;
    },
  };
}
