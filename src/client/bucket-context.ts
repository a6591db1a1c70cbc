/** What a bucket's handle is made of. */

import type { Caller } from "./caller.ts";
import type { Codec } from "./codecs.ts";
import type { FirstWrite } from "./first-write.ts";
import type { Http } from "./http.ts";
import type { SessionOptions } from "./session.ts";

export interface BucketContext {
  readonly name: string;
  readonly http: Http;
  readonly codec: Codec;
  readonly firstWrite: FirstWrite;
  /** Default time to live, in seconds. */
  readonly ttl: number | undefined;
  readonly session: SessionOptions;
  /** A session's connection; undefined sends each call as an HTTP request of its own. */
  readonly caller?: Caller;
}
