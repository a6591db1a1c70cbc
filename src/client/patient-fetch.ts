/**
 * The platform's `fetch`, without limits of its own. Node's gives up after 300 s without a byte (undici's `headersTimeout`
 * and `bodyTimeout`), however long a call may take: how long that is, is for the caller's deadline to say.
 */

import type { Fetch } from "./http.ts";

/** Where undici, Node's own or one that was installed, keeps what its requests go through (Node 20, 22, 24). */
const GLOBAL_DISPATCHER = Symbol.for("undici.globalDispatcher.1");

interface Dispatcher {
  readonly dispatch: (options: object, handler: unknown) => boolean;
  readonly isMockActive?: boolean;
}

export const patientFetch: Fetch = (url, init) => {
  // `dispatcher` is undici's word: other platforms do not have it, and are not told.
  const patience = patientDispatcher();
  return fetch(url, patience === undefined ? init : ({ ...init, dispatcher: patience } as RequestInit));
};

/** All of its settings, those of a proxy for example, stay, but for these two. */
function patientDispatcher(): Dispatcher | undefined {
  // Node sets it when it loads undici, which it does when one of its classes is first asked for.
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
