/** A bucket's changes, through breaks of the connection. */

import { parsed, shaped, type Shape } from "./answers.ts";
import type { Codec } from "./codecs.ts";
import { endable } from "./endable.ts";
import { BucketDownError, BucketNotFoundError, errorOf } from "./errors.ts";
import { follow, type Followed, type Following } from "./follow.ts";
import type { Http } from "./http.ts";
import type { ServerEvent } from "./sse.ts";
import type { Change, WatchOptions } from "./types.ts";
import { entryOf, FAILURE } from "./wire.ts";

interface Removed {
  readonly key: string;
  readonly revision: number;
  readonly at: string;
}
const REMOVED: Shape<Removed> = { key: "string", revision: "number", at: "string" };

export function watch(
  http: Http,
  path: string,
  { signal, ...options }: WatchOptions,
  codec: Codec,
): AsyncGenerator<Change, void, void> {
  return endable(signal, (own) => changesOf(http, path, { ...options, signal: own }, codec));
}

async function* changesOf(
  http: Http,
  path: string,
  { signal, since, snapshot = false, ...query }: WatchOptions,
  codec: Codec,
): AsyncGenerator<Change, void, void> {
  const following: Following = {
    path: `${path}/watch`,
    query: { ...query, snapshot },
    position: since === undefined ? undefined : String(since),
    signal,
  };
  for await (const event of untilDown(follow(http, following))) {
    if (event === "connected") {
      // Of a snapshot that was not heard to its end nothing counts, also what was deleted since: it begins anew.
      if (snapshot && following.position === undefined) yield { event: "begin" };
      continue;
    }
    const change = changeOf(event, codec);
    // Behind what can be read: whoever comes back for it by hand finds it again.
    following.position = event.id ?? following.position;
    if (change !== undefined) yield change;
  }
}

/** A bucket that ended while nobody listened is not there when the stream is opened again. */
async function* untilDown(followed: AsyncIterable<Followed>): AsyncGenerator<Followed, void, void> {
  let begun = false;
  try {
    for await (const event of followed) {
      begun = true;
      yield event;
    }
  } catch (error) {
    if (begun && error instanceof BucketNotFoundError) throw downFor("noproc");
    throw error;
  }
}

function downFor(reason: string): BucketDownError {
  const details = { reason };
  return new BucketDownError("bucket_down", `The bucket has ended: ${reason}`, { status: 404, details });
}

/** Undefined for what only moves on: a restart ends the stream, and it is opened again. */
function changeOf({ event, data, id = "" }: ServerEvent, codec: Codec): Change | undefined {
  if (data === undefined) return undefined;
  const told = parsed(data);
  switch (event) {
    case "entry":
      return { event, ...entryOf(told, codec) };
    case "put":
      return { event, id, ...entryOf(told, codec, { id }) };
    case "end_of_snapshot": {
      const { revision } = shaped<{ readonly revision: number }>(told, { revision: "number" });
      return { event, id, revision };
    }
    case "delete":
    case "expired": {
      const { key, revision, at } = shaped(told, REMOVED);
      return { event, id, key, revision, at: new Date(at) };
    }
    case "RESTARTED":
      return undefined;
    case "dropped": {
      const why = shaped(told, FAILURE);
      // Too slow for a while: the log still has what comes next. Too slow for the log: not so.
      if (why.code === "slow_reader") return undefined;
      throw errorOf(why);
    }
    case "DOWN": {
      const { reason } = shaped<{ readonly reason: string }>(told, { reason: "string" });
      throw downFor(reason);
    }
    default:
      return undefined; // of a later version of the service
  }
}
