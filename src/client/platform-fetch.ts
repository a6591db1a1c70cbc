/** The platform's `fetch`, without Node's own timeouts: see {@link NO_TIMEOUTS}. */

import type { Fetch } from "./http.ts";
import { NO_TIMEOUTS, nodeDispatcher, type Dispatcher } from "./node-dispatcher.ts";

export const platformFetch: Fetch = (url, init) => {
  // `dispatcher` is an option of undici only; other platforms do not get it.
  const usual = nodeDispatcher();
  return fetch(
    url,
    usual === undefined ? init : ({ ...init, dispatcher: withoutTimeouts(usual) } as RequestInit),
  );
};

function withoutTimeouts(usual: Dispatcher): Dispatcher {
  return {
    dispatch: (options, handler) => usual.dispatch({ ...options, ...NO_TIMEOUTS }, handler),
    get isMockActive() {
      return usual.isMockActive ?? false;
    },
  };
}
