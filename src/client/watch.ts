/** A bucket's changes, through breaks of the connection. */

import type { Codec } from "./codecs.ts";
import { backoff, pause } from "./deadline.ts";
import { BucketDownError, ConnectionError, errorOf, KvError, TimeoutError } from "./errors.ts";
import { mayPass, type Http } from "./http.ts";
import { serverEvents, type ServerEvent } from "./sse.ts";
import type { Change, WatchOptions } from "./types.ts";
import { entryOf, type EntryWire } from "./wire.ts";

/** The wait before it comes back the first time, at most, in milliseconds; doubled while that fails. */
const RETRY_BASE_MS = 100;

export async function* watch(
  http: Http,
  path: string,
  { signal, since, snapshot = false, ...query }: WatchOptions,
  codec: Codec,
): AsyncGenerator<Change, void, void> {
  let position = since === undefined ? undefined : String(since);
  let attempt = 0;
  for (;;) {
    try {
      const headers: Record<string, string> = position === undefined ? {} : { "Last-Event-ID": position };
      const request = { query: { ...query, snapshot }, headers, signal, safe: true };
      const { body } = await http.open(`${path}/watch`, request);
      if (body === null) throw new ConnectionError("connection_lost", "The stream of changes has no body.");
      // Of a snapshot that was not heard to its end nothing counts, also what was deleted since: it begins anew.
      if (snapshot && position === undefined) yield { event: "begin" };
      for await (const event of serverEvents(body)) {
        attempt = 0;
        const change = changeOf(event, codec);
        // Behind what can be read: whoever comes back for it by hand finds it again.
        position = event.id ?? position;
        if (change === "RESTARTED") break;
        if (change !== undefined) yield change;
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
  if (!(error instanceof KvError) || error instanceof BucketDownError) return false;
  return error instanceof TimeoutError || mayPass(error);
}

function changeOf({ event, data, id = "" }: ServerEvent, codec: Codec): Change | "RESTARTED" | undefined {
  if (data === undefined) return undefined;
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
