/** A bucket's changes, as a stream that reconnects and resumes by itself. */

import { parseAnswer, checkShape, type Shape } from "./answers.ts";
import type { Codec } from "./codecs.ts";
import { endable } from "./endable.ts";
import { BucketDownError, BucketNotFoundError, errorOf } from "./errors.ts";
import type { FirstWrite } from "./first-write.ts";
import { follow, type FollowEvent, type ResumableStream } from "./follow.ts";
import type { Http } from "./http.ts";
import type { ServerEvent } from "./sse.ts";
import type { Change, WatchOptions } from "./types.ts";
import { decodeEntry, FAILURE } from "./wire.ts";

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
  firstWrite: FirstWrite,
): AsyncGenerator<Change, void, void> {
  return endable(signal, async function* (own) {
    // Whoever watches a bucket waits for its first write.
    await firstWrite.before({ signal: own });
    yield* changesOf(http, path, { ...options, signal: own }, codec);
  });
}

async function* changesOf(
  http: Http,
  path: string,
  { signal, since, snapshot = false, onOpen, ...query }: WatchOptions,
  codec: Codec,
): AsyncGenerator<Change, void, void> {
  const stream: ResumableStream = {
    path: `${path}/watch`,
    query: { ...query, snapshot },
    position: since === undefined ? undefined : String(since),
    signal,
  };
  for await (const event of untilDown(follow(http, stream))) {
    if (event === "connected") {
      onOpen?.();
      // A snapshot that was cut off is void, because keys may have been deleted since. A new one begins.
      if (snapshot && stream.position === undefined) yield { event: "begin" };
      continue;
    }
    const change = changeOf(event, codec);
    // Only after decoding: if that fails, the error's `details.id` is the last id, and the event is not skipped.
    stream.position = event.id ?? stream.position;
    if (change !== undefined) yield change;
  }
}

/** Reports a bucket that ended while the stream was disconnected, and so is missing at the reconnect, as its end. */
async function* untilDown(followed: AsyncIterable<FollowEvent>): AsyncGenerator<FollowEvent, void, void> {
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

/** Undefined for events that the caller need not see, such as a restart: the stream then reconnects. */
function changeOf({ event, data, id = "" }: ServerEvent, codec: Codec): Change | undefined {
  if (data === undefined) return undefined;
  const json = parseAnswer(data);
  switch (event) {
    case "entry":
      return { event, ...decodeEntry(json, codec) };
    case "put":
      return { event, id, ...decodeEntry(json, codec, { id }) };
    case "end_of_snapshot": {
      const { revision } = checkShape<{ readonly revision: number }>(json, { revision: "number" });
      return { event, id, revision };
    }
    case "delete":
    case "expired": {
      const { key, revision, at } = checkShape(json, REMOVED);
      return { event, id, key, revision, at: new Date(at) };
    }
    case "RESTARTED":
      return undefined;
    case "dropped": {
      const why = checkShape(json, FAILURE);
      // The reader was too slow, but the change log still has what comes next: reconnect. Other codes are final.
      if (why.code === "slow_reader") return undefined;
      throw errorOf(why);
    }
    case "DOWN": {
      const { reason } = checkShape<{ readonly reason: string }>(json, { reason: "string" });
      throw downFor(reason);
    }
    default:
      return undefined; // an event of a later version of the service
  }
}
