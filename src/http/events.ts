/** Lifecycle events of buckets, as Server-Sent Events: all buckets, or one. */

import { KvError } from "../model/errors.ts";
import type { RegistryEvent } from "../model/registry-event.ts";
import type { Context } from "./context.ts";
import { Budget } from "../lib/budget.ts";
import { EventStream, lastEventId } from "./event-stream.ts";

/** Unread characters: `each` stream may have as many, and `all` streams of the isolate together. */
const unread = new Budget({ each: 4 * 1_048_576, all: 48 * 1_048_576, share: 65_536 });

/** `GET /v1/events`: the events of all buckets, from now on, or after Last-Event-ID. */
export async function allEvents(
  request: Request,
  { directory, settings, keepAlive }: Context,
): Promise<Response> {
  const lastId = lastEventId(request);
  const positions = lastId === null ? undefined : positionsOf(lastId, settings.partitions);
  const stream = new EventStream({
    heartbeatMs: settings.heartbeatMs,
    keepAlive,
    unread,
    closed: () => {
      for (const follower of followers) follower.close();
    },
  });
  const reached = positions ?? Array.from({ length: settings.partitions }, () => 0);
  // Events that arrive before every partition has reported its position wait here: without all positions their id would
  // resume too early in the log.
  let early: (() => void)[] | undefined = [];
  const followers = directory.followers((partition) => ({
    events: (events) => {
      const sendAll = (): void => {
        for (const event of events) {
          reached[partition] = event.seq;
          stream.send(sseOf(event, idOf(reached)));
        }
      };
      if (early === undefined) sendAll();
      else early.push(sendAll);
    },
    lost: () => stream.close(),
  }));
  await orDiscard(stream, async () => {
    const hellos = await Promise.all(
      followers.map((follower, partition) => follower.start(positions?.[partition])),
    );
    hellos.forEach((hello, partition) => {
      if (hello === undefined) throw expired();
      reached[partition] = hello.position;
    });
  });
  stream.begin(idOf(reached));
  for (const sendAll of early) sendAll();
  early = undefined;
  return stream.response();
}

/**
 * `GET /v1/buckets/{b}/monitor`: the restarts and the end of the bucket that has the name now; then the stream ends. If
 * there is no such bucket, the stream has DOWN with `noproc`, and ends. A client that reconnects after the DOWN gets 204,
 * which makes a browser stop.
 */
export async function monitorBucket(
  request: Request,
  { directory, settings, target, keepAlive }: Context,
): Promise<Response> {
  const name = target.bucket;
  const last = monitorIdOf(lastEventId(request));
  if (last?.incarnation === "") return new Response(null, { status: 204 });
  const stream = new EventStream({
    heartbeatMs: settings.heartbeatMs,
    keepAlive,
    unread,
    closed: () => follower.close(),
  });
  let incarnation = last?.incarnation;
  const follower = directory.follower(name, {
    events: (events) => {
      for (const event of events) {
        if (event.incarnation !== incarnation || event.kind === "created") continue;
        // The id of a DOWN has no incarnation: no events follow.
        const down = event.kind === "DOWN";
        stream.send(sseOf(event, `${event.seq}-${down ? "" : incarnation}`));
        if (down) stream.close();
      }
    },
    // Updates the client's id, so that it can resume even if its bucket had no events for long.
    position: (seq) => {
      if (incarnation !== undefined) stream.begin(`${seq}-${incarnation}`);
    },
    lost: () => stream.close(),
  });
  if (last !== undefined) stream.begin(`${last.seq}-${last.incarnation}`);
  await orDiscard(stream, async () => {
    const hello = await follower.start(last?.seq);
    if (hello === undefined) throw expired();
    incarnation ??= hello.found?.incarnation;
    if (incarnation !== undefined) {
      if (last === undefined) stream.begin(`${hello.position}-${incarnation}`);
      return;
    }
    stream.send({ id: `${hello.position}-`, event: "DOWN", data: { name, reason: "noproc" } });
    stream.close();
  });
  return stream.response();
}

function sseOf(event: RegistryEvent, id: string): Parameters<EventStream["send"]>[0] {
  const { kind, name, incarnation, reason, at } = event;
  return {
    id,
    event: kind,
    data: {
      name,
      incarnation,
      ...(reason === null ? {} : { reason }),
      at: new Date(at).toISOString(),
    },
  };
}

/** Starts a stream; discards it if that fails. */
async function orDiscard(stream: EventStream, start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (error) {
    stream.discard();
    throw error;
  }
}

/** The id of an event: the position of every partition. */
function idOf(reached: readonly number[]): string {
  return reached.map((seq) => seq.toString(36)).join(".");
}

function positionsOf(id: string, partitions: number): number[] {
  const parts = id.split(".");
  if (parts.length === partitions && parts.every((part) => /^[0-9a-z]{1,10}$/.test(part))) {
    return parts.map((part) => Number.parseInt(part, 36));
  }
  throw new KvError(
    "cursor_invalid",
    "This Last-Event-ID does not belong to this stream. Start without one.",
  );
}

function monitorIdOf(id: string | null): { readonly seq: number; readonly incarnation: string } | undefined {
  if (id === null) return undefined;
  const [, seq, incarnation] = /^(\d{1,15})-([0-9a-f]*)$/.exec(id) ?? [];
  if (seq !== undefined && incarnation !== undefined) return { seq: Number(seq), incarnation };
  throw new KvError(
    "cursor_invalid",
    "This Last-Event-ID does not belong to this stream. Start without one.",
  );
}

function expired(): KvError {
  return new KvError(
    "events_expired",
    "The events after this Last-Event-ID are no longer in the log. Look up the current state, and start without one.",
  );
}
