/**
 * The dispatcher under Node's `fetch` (undici's): it has the connections, and the settings that a program gave them, such as
 * a proxy. Node 20, 22 and 24 keep it in the same place, whether undici is built in or installed.
 */

const GLOBAL_DISPATCHER = Symbol.for("undici.globalDispatcher.1");

export interface Dispatcher {
  readonly dispatch: (options: object, handler: unknown) => boolean;
  readonly isMockActive?: boolean;
}

/** The current dispatcher; undefined on other platforms. */
export function nodeDispatcher(): Dispatcher | undefined {
  // Node loads undici, and so sets the dispatcher, when one of its classes is first used.
  void globalThis.Headers;
  return (globalThis as { [GLOBAL_DISPATCHER]?: Dispatcher })[GLOBAL_DISPATCHER];
}

/** Node ends a request after 300 s without a byte, although the caller's deadline may be longer. */
export const NO_TIMEOUTS = { headersTimeout: 0, bodyTimeout: 0 } as const;
