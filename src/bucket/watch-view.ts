/** A watcher's view: which changes it sees, and how they are written as events. Pure. */

import { sseBegin, sseEvent, ssePosition } from "../lib/sse.ts";
import { keptText, keptTexts } from "../model/kept-json.ts";
import type { Change } from "../store/change-log.ts";
import { etag } from "../model/conditions.ts";
import type { Listed } from "../model/entry.ts";
import type { View, WatchFormat } from "../model/watch.ts";
import { entryJson } from "../schema/entry-json.ts";

/**
 * - `begin`: changes after this revision follow.
 * - `entry`: an entry of the snapshot. `end_of_snapshot`: the snapshot is complete, and changes follow.
 * - `put`, `delete`, `expired`: a change.
 * - `position`: the watcher has seen all its changes up to this revision.
 * - `DOWN`: the bucket has ended. `RESTARTED`: the bucket restarts; reconnect.
 * - `dropped`: the watcher was too slow. The code says whether it can resume after the last event's id.
 */
export interface WatchEvent {
  readonly event:
    | "begin"
    | "entry"
    | "end_of_snapshot"
    | "put"
    | "delete"
    | "expired"
    | "position"
    | "DOWN"
    | "RESTARTED"
    | "dropped";
  /** Resume with this id to receive all later events. Absent where a client can't resume: within a snapshot. */
  readonly id?: string;
  readonly metadata?: unknown;
  readonly [member: string]: unknown;
}

/** Whether a view includes a key. */
export function sees({ scope, text }: View, key: string): boolean {
  return scope === "key" ? key === text : key.startsWith(text);
}

export function changeEvent(incarnation: string, change: Change, values: boolean): WatchEvent {
  const { kind, revision, key } = change;
  const id = etag(incarnation, revision);
  if (kind !== "put") return { event: kind, id, key, revision, at: new Date(change.at).toISOString() };
  const value = values && change.value !== null ? change.value : undefined;
  return { event: kind, id, ...entryJson(incarnation, key, change, value) };
}

export function entryEvent(incarnation: string, { key, value, ...info }: Listed): WatchEvent {
  return { event: "entry", ...entryJson(incarnation, key, info, value) };
}

/** Events as the text of one message. */
export function render(format: WatchFormat, events: readonly WatchEvent[]): string {
  return format === "json" ? keptTexts(events) : events.map(renderSse).join("");
}

function renderSse({ event, id, ...data }: WatchEvent): string {
  if (event === "begin") return sseBegin(id);
  if (event === "position") return ssePosition(id);
  return sseEvent(event, id, keptText(data));
}
