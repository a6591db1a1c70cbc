/** `GET …/watch`: a bucket's changes, as Server-Sent Events, or over WebSocket. */

import type { WatchFormat, WatchRequest } from "../model/watch.ts";
import { KvError } from "../model/errors.ts";
import { connections } from "../lib/connections.ts";
import { byteLength } from "../lib/utf8.ts";
import { MAX_KEY_BYTES } from "../model/limits.ts";
import { key as checkedKey } from "../model/validators.ts";
import { checkQuery } from "../schema/check.ts";
import { WatchQuery } from "../schema/requests.ts";
import { isUpgrade, requirePlace } from "./connect.ts";
import type { Context } from "./context.ts";
import { EVENT_STREAM_HEADERS, lastEventId } from "./event-stream.ts";
import { subprotocol } from "./guard.ts";

/** Characters that the client has taken before the bucket is told. */
const ACKNOWLEDGE_AFTER = 131_072;

/** How long a client may take to hear the last of it, in milliseconds. */
const LAST_WORD_MS = 10_000;

const encoder = new TextEncoder();

export async function watchBucket(request: Request, context: Context): Promise<Response> {
  const { bucket, settings, keepAlive } = context;
  const direct = isUpgrade(request);
  const asked = watchRequest(request, context, direct ? "json" : "sse");
  requirePlace();
  const feed = await bucket.watch(asked);
  // The bucket's own object holds the connection; from then on the Worker is not in its way.
  if (direct) return new Response(null, { status: 101, webSocket: feed, headers: subprotocol(request) });
  const { readable, writable } = new IdentityTransformStream();
  keepAlive(pipe(feed, writable, settings.heartbeatMs));
  return new Response(readable, { headers: EVENT_STREAM_HEADERS });
}

/**
 * Passes what the bucket sends on to the client, as fast as the client takes it, and tells the bucket: what is not
 * taken waits in the bucket's log, and not here.
 */
async function pipe(
  feed: WebSocket,
  writable: WritableStream<Uint8Array>,
  heartbeatMs: number,
): Promise<void> {
  const place = connections.enter({ goodbye: () => feed.close() });
  const writer = writable.getWriter();
  let waiting = 0;
  let taken = 0;
  let before = Promise.resolve();
  const write = (text: string): void => {
    waiting += 1;
    // One after the other: what waits is text, and is made into bytes when it is its turn.
    before = before.then(() => send(text));
  };
  const send = async (text: string): Promise<void> => {
    try {
      await writer.write(encoder.encode(text));
    } catch {
      feed.close(); // the client has gone
    }
    waiting -= 1;
    taken += text.length;
    if (taken < ACKNOWLEDGE_AFTER || feed.readyState !== WebSocket.OPEN) return;
    taken = 0;
    feed.send("");
  };
  // A comment is a sign of life for both sides; where something waits to be taken, that is sign enough.
  const heartbeat = setInterval(() => {
    if (waiting === 0) write(": still here\n\n");
  }, heartbeatMs);
  const ended = new Promise<void>((resolve) => {
    feed.addEventListener("message", ({ data }: { data: unknown }) => write(String(data)));
    feed.addEventListener("close", () => resolve());
    feed.addEventListener("error", () => resolve());
    writer.closed.then(resolve, () => {
      feed.close();
      resolve();
    });
  });
  feed.accept();
  // The bucket has let it in a moment ago, and just then it was one too many.
  if (place === undefined) feed.close();
  await ended;
  place?.leave();
  clearInterval(heartbeat);
  // Behind all that was written: the client hears the bucket's last word, unless it takes nothing at all.
  const given = setTimeout(() => void writer.abort().catch(() => undefined), LAST_WORD_MS);
  await before;
  await writer.close().catch(() => undefined);
  clearTimeout(given);
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
