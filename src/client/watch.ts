/** A bucket's changes, through breaks of the connection. */

import type { Codec } from "./codecs.ts";
import { backoff, pause } from "./deadline.ts";
import { BucketDownError, ConnectionError, errorOf, KvError, UnavailableError } from "./errors.ts";
import type { Http } from "./http.ts";
import { serverEvents, type ServerEvent } from "./sse.ts";
import type { Change, WatchOptions } from "./types.ts";
import { entryOf, type EntryWire } from "./wire.ts";

/** The wait before it comes back the first time, at most, in milliseconds; doubled while that fails. */
const RETRY_BASE_MS = 100;

export async function* watch(
  http: Http,
  path: string,
  { signal, since, snapshot, ...query }: WatchOptions,
  codec: Codec,
): AsyncGenerator<Change, void, void> {
  let position = since === undefined ? undefined : String(since);
  // Of a snapshot that was not heard to its end nothing counts: it begins again.
  let attempt = 0;
  for (;;) {
    try {
      const headers: Record<string, string> = position === undefined ? {} : { "Last-Event-ID": position };
      const request = { query: { ...query, snapshot }, headers, signal, safe: true };
      const { body } = await http.open(`${path}/watch`, request);
      if (body === null) throw new ConnectionError("connection_lost", "The stream of changes has no body.");
      for await (const event of serverEvents(body, (id) => (position = id))) {
        attempt = 0;
        const change = changeOf(event, codec);
        if (change === "RESTARTED") break;
        yield change;
      }
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      if (!isBreak(error)) throw error;
    }
    // Ended without a word, or broken: what came meanwhile is in the log.
    await pause(backoff(attempt, RETRY_BASE_MS), signal);
    attempt += 1;
  }
}

/** Whether watching can go on behind where it was. */
function isBreak(error: unknown): boolean {
  if (!(error instanceof KvError)) return error instanceof TypeError; // what a body that breaks off throws
  if (error instanceof BucketDownError) return false;
  return (
    error instanceof ConnectionError || error instanceof UnavailableError || error.code === "slow_reader"
  );
}

function changeOf({ event, data, id = "" }: ServerEvent, codec: Codec): Change | "RESTARTED" {
  const told = JSON.parse(data) as EntryWire & { readonly at: string; readonly reason: string };
  switch (event) {
    case "entry":
      return { event, ...entryOf(told, codec) };
    case "put":
      return { event, id, ...entryOf(told, codec) };
    case "end_of_snapshot":
      return { event, id, revision: told.revision };
    case "delete":
    case "expired":
      return { event, id, key: told.key, revision: told.revision, at: new Date(told.at) };
    case "RESTARTED":
      return event;
    case "DOWN":
      throw new BucketDownError("bucket_down", `The bucket has ended: ${told.reason}`, {
        status: 404,
        details: { reason: told.reason },
      });
    default:
      throw errorOf(JSON.parse(data) as Parameters<typeof errorOf>[0]);
  }
}
