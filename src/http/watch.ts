/** `GET …/watch`: streams the changes of a bucket, as Server-Sent Events or over WebSocket. */

import type { WatchFormat, WatchRequest } from "../model/watch.ts";
import { KvError } from "../model/errors.ts";
import { Budget } from "../lib/budget.ts";
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

/** No limit here: the bucket's own window limits what a watcher has unread, so a reader is never ended for others. */
const unread = new Budget({ each: Infinity, all: Infinity, share: Infinity });

/** Opens a watch. The events are Server-Sent Events, or messages of a WebSocket if the request is an upgrade. */
export async function watchBucket(request: Request, context: Context): Promise<Response> {
  const { bucket, settings, keepAlive } = context;
  const direct = isUpgrade(request);
  const asked = watchRequest(request, context, direct ? "json" : "sse");
  requirePlace();
  const feed = await bucket.watch(asked);
  // The bucket itself holds the WebSocket; no Worker is in between.
  if (direct) return new Response(null, { status: 101, webSocket: feed, headers: subprotocol(request) });
  return streamOf(feed, settings.heartbeatMs, keepAlive).response();
}

/**
 * Forwards the bucket's messages to the client, and acks them as the client reads. The bucket stops sending without acks,
 * so unread changes wait in the bucket's log, not in this Worker's memory.
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
    stream = new EventStream({ heartbeatMs, keepAlive, unread, closed: () => feed.close(), taken });
  } catch (error) {
    // The limit of connections was reached after the bucket accepted the watch.
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
    throw new KvError("query_invalid", "Watch either a prefix or a key, not both.");
  }
  if (prefix !== undefined && byteLength(prefix) > MAX_KEY_BYTES) {
    throw new KvError(
      "key_too_long",
      `The prefix has more than ${MAX_KEY_BYTES} bytes, and no key is that long.`,
    );
  }
  const scope =
    key === undefined
      ? ({ scope: "prefix", text: prefix ?? "" } as const)
      : ({ scope: "key", text: checkedKey(key) } as const);
  // A client that resumes with an id, as browsers do automatically, has already received the snapshot.
  const lastId = lastEventId(request);
  if (lastId === null && snapshot && since !== undefined) {
    throw new KvError("query_invalid", "Use either ?snapshot=true or ?since=, not both.");
  }
  const position = lastId ?? since;
  return {
    view: { format, values, ...scope },
    snapshot,
    ...(position === undefined ? {} : { since: positionOf(position) }),
  };
}

/** Parses an event's id, `<incarnation>-<revision>`; or a revision alone, which fits any bucket of the name. */
function positionOf(text: string): NonNullable<WatchRequest["since"]> {
  const [, incarnation, revision] = /^(?:([0-9a-f]+)-)?(\d{1,15})$/.exec(text) ?? [];
  if (revision !== undefined) return { incarnation, revision: Number(revision) };
  throw new KvError(
    "cursor_invalid",
    "This is not a position of this stream. Send the id of an event, or a revision.",
  );
}
