/** `GET …/watch`: a bucket's changes, as Server-Sent Events, or over WebSocket. */

import type { WatchFormat, WatchRequest } from "../model/watch.ts";
import { KvError } from "../model/errors.ts";
import { Acks } from "../lib/flow-window.ts";
import type { KeepAlive } from "../directory/directory.ts";
import { byteLength } from "../lib/utf8.ts";
import { MAX_KEY_BYTES } from "../model/limits.ts";
import { key as checkedKey } from "../model/validators.ts";
import { checkQuery } from "../schema/check.ts";
import { WatchQuery } from "../schema/requests.ts";
import { isUpgrade, requirePlace } from "./connect.ts";
import type { Context } from "./context.ts";
import { EventStream, lastEventId } from "./event-stream.ts";
import { subprotocol } from "./guard.ts";

export async function watchBucket(request: Request, context: Context): Promise<Response> {
  const { bucket, settings, keepAlive } = context;
  const direct = isUpgrade(request);
  const asked = watchRequest(request, context, direct ? "json" : "sse");
  requirePlace();
  const feed = await bucket.watch(asked);
  // The bucket's own object holds the connection; from then on the Worker is not in its way.
  if (direct) return new Response(null, { status: 101, webSocket: feed, headers: subprotocol(request) });
  return streamOf(feed, settings.heartbeatMs, keepAlive).response();
}

/**
 * Passes what the bucket sends on to the client, as fast as the client takes it, and acknowledges it: what is not taken
 * waits in the bucket's log, and not here.
 */
function streamOf(feed: WebSocket, heartbeatMs: number, keepAlive: KeepAlive): EventStream {
  const acks = new Acks();
  const taken = (characters: number): void => {
    const ack = acks.read(characters);
    if (ack !== undefined && feed.readyState === WebSocket.OPEN) feed.send(ack);
  };
  feed.accept();
  let stream: EventStream;
  try {
    stream = new EventStream({ heartbeatMs, keepAlive, closed: () => feed.close(), taken });
  } catch (error) {
    // The bucket has let it in a moment ago, and just then it was one connection too many.
    feed.close();
    throw error;
  }
  feed.addEventListener("message", ({ data }: { data: unknown }) => stream.write(String(data)));
  feed.addEventListener("close", () => stream.close());
  feed.addEventListener("error", () => stream.close());
  return stream;
}

function watchRequest(request: Request, { target }: Context, format: WatchFormat): WatchRequest {
  const { prefix, key, values = true, snapshot = false, since } = checkQuery(WatchQuery, target.query);
  if (prefix !== undefined && key !== undefined) {
    throw new KvError("query_invalid", "Watch a prefix or a key, not both.");
  }
  if (prefix !== undefined && byteLength(prefix) > MAX_KEY_BYTES) {
    throw new KvError("key_too_long", `No key has more than ${MAX_KEY_BYTES} bytes, so none begins so.`);
  }
  const scope =
    key === undefined
      ? ({ scope: "prefix", text: prefix ?? "" } as const)
      : ({ scope: "key", text: checkedKey(key) } as const);
  // Who comes back with an id, as browsers do by themselves, has had the snapshot.
  const lastId = lastEventId(request);
  if (lastId === null && snapshot && since !== undefined) {
    throw new KvError("query_invalid", "A snapshot has all that is there: begin with it, or behind ?since=.");
  }
  const position = lastId ?? since;
  return {
    view: { format, values, ...scope },
    snapshot,
    ...(position === undefined ? {} : { since: positionOf(position) }),
  };
}

/** An event's id, `<incarnation>-<revision>`; or a revision of whatever bucket has the name. */
function positionOf(text: string): NonNullable<WatchRequest["since"]> {
  const [, incarnation, revision] = /^(?:([0-9a-f]+)-)?(\d{1,15})$/.exec(text) ?? [];
  if (revision !== undefined) return { incarnation, revision: Number(revision) };
  throw new KvError("cursor_invalid", "This is no position of this stream: an event's id, or a revision.");
}
