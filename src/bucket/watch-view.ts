/** What a watcher sees of changes, and in which words. Pure. */

import { sseBegin, sseEvent, ssePosition } from "../lib/sse.ts";
import { keptText, keptTexts } from "../model/kept-json.ts";
import type { Change } from "../store/change-log.ts";
import { etag } from "../model/conditions.ts";
import type { Listed } from "../model/entry.ts";
import type { View, WatchFormat } from "../model/watch.ts";
import { entryJson } from "../schema/entry-json.ts";

/**
 * - `begin`: what comes after this revision follows.
 * - `entry`: what was there already; `end_of_snapshot`: that was all, and changes follow.
 * - `put`, `delete`, `expired`: a change.
 * - `position`: there is nothing more for this watcher up to here.
 * - `DOWN`: the bucket has ended. `RESTARTED`: it comes back, and so should the watcher.
 * - `dropped`: the watcher was too slow; the code says whether it can go on behind the last event's id.
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
  /** What to come back with to hear of all that follows; left out where there is no coming back in between. */
  readonly id?: string;
  readonly metadata?: unknown;
  readonly [member: string]: unknown;
}

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

/** One message's text. */
export function render(format: WatchFormat, events: readonly WatchEvent[]): string {
  return format === "json" ? keptTexts(events) : events.map(renderSse).join("");
}

function renderSse({ event, id, ...data }: WatchEvent): string {
  if (event === "begin") return sseBegin(id);
  if (event === "position") return ssePosition(id);
  return sseEvent(event, id, keptText(data));
}
