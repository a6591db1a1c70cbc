/** A store that is measured over HTTP: one key of each of its buckets, with a value of ten bytes. */

import type { HttpRequest } from "../../load/http.ts";

export interface HttpStore {
  readonly origin: string;
  /** The request of a connection. If there are several buckets, each connection has its own. */
  put(value: string, connection: number): HttpRequest;
  get(connection: number): HttpRequest;
  /** The value in the response of a get; undefined for a ceiling, which keeps nothing. */
  readonly valueIn: ((response: string) => string) | undefined;
  stop(): Promise<void>;
}
