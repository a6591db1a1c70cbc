/** The context of a request: its target, settings, auth, and directory. */

import type { Auth } from "../config/auth.ts";
import type { Env } from "../config/env.ts";
import type { Settings } from "../config/settings.ts";
import { BucketHandle } from "../directory/bucket-handle.ts";
import type { Place } from "../directory/birthplace.ts";
import type { Directory, KeepAlive } from "../directory/directory.ts";
import { directoryOf, isolateOf } from "../directory/isolate.ts";
import { KvError } from "../model/errors.ts";
import type { Admission } from "../text/interpreter.ts";
import { Target } from "./target.ts";

export class Context {
  readonly target: Target;
  readonly settings: Settings;
  readonly auth: Auth;
  readonly directory: Directory;

  /** @throws {KvError} `settings_invalid` */
  constructor(request: { readonly url: string; readonly cf?: unknown }, env: Env, keepAlive: KeepAlive) {
    const { settings, auth } = isolateOf(env);
    this.target = new Target(request.url);
    this.settings = settings;
    this.auth = auth;
    // Read where it is needed only: the platform parses it for each request.
    this.directory = directoryOf(env, keepAlive, () => request.cf as Place | undefined);
  }

  /** Keeps the Worker running for a promise after the response. */
  get keepAlive(): KeepAlive {
    return this.directory.keepAlive;
  }

  /**
   * The bucket that the request's path names.
   * @throws {KvError} `bucket_name_invalid`
   */
  get bucket(): BucketHandle {
    return this.bucketOf(this.target.bucket);
  }

  /** @param name of a bucket, checked */
  bucketOf(name: string): BucketHandle {
    return new BucketHandle(this.directory, name, { missing: bucketNotFound });
  }
}

function bucketNotFound(name: string): KvError {
  return new KvError("bucket_not_found", `There is no bucket ${name}. Create it: PUT /v1/buckets/${name}`);
}

/** The admission of a request that the guard has authorized. The token of an AUTH line is still checked. */
export function admitted(auth: Auth): Admission {
  return { admitted: true, accepts: (token) => auth.accepts(token) };
}
