/**
 * The watchers of one bucket: each receives every change once, in order, at its own pace. As in etcd's watchable store:
 *
 * - A *synced* watcher has been sent everything. It is sent each new change in the turn of the write.
 * - A watcher becomes *unsynced* when its window of unacknowledged characters is full. It is sent no new changes: the
 *   change log is its buffer, so a slow watcher costs no memory. Every watcher starts unsynced.
 * - An ack opens the window again. The watcher is then sent the rest of its snapshot, if it asked for one, and after
 *   that the log from its position, in batches, until the window is full or the log has no more: then it is synced.
 * - An unsynced watcher is dropped, with the reason, when it has not acked for 30 seconds, or when the log no longer
 *   holds the changes that come next for it.
 */

import { CLOSE_GOING_AWAY, CLOSE_RESTART, CLOSE_TRY_AGAIN } from "../lib/close-codes.ts";
import type { Listed } from "../model/entry.ts";
import { failure, KvError, type ErrorCode } from "../model/errors.ts";
import { Budget } from "../lib/budget.ts";
import { ackOf, FlowWindow } from "../lib/flow-window.ts";
import { OUTSIDE } from "../lib/connections.ts";
import type { Clock } from "../otp/timers.ts";
import type { Change } from "../model/change.ts";
import { LOGGED_VALUE_BYTES } from "../store/log-record.ts";
import { etag } from "../model/conditions.ts";
import type { Entries } from "../store/entries.ts";
import type { View, WatchRequest } from "../model/watch.ts";
import { inParts } from "./message-parts.ts";
import { changeEvent, entryEvent, render, sees, type WatchEvent } from "./watch-view.ts";

/** The tag of the watchers' WebSockets. */
export const WATCH = "watch";

export interface WatchersOptions {
  readonly entries: Entries;
  readonly clock: Clock;
  readonly incarnation: () => string;
  /** How many changes the log keeps. */
  readonly logLimit: number;
  /** Schedules a call of {@link Watchers.dropSlow} at this time or earlier, in milliseconds since the epoch. */
  readonly slowBy: (at: number) => void;
}

const PING = '{"ping":true}';
const PONG = '{"pong":true}';

/**
 * Unacknowledged characters: `each` watcher may have as many, and `all` watchers of the bucket together. When `all` is
 * used up, each watcher still has its `share`, which is more than a client reads before it acks.
 */
const WINDOWS = { each: 1_048_576, all: 32 * 1_048_576, share: 262_144 };
/** Drop an unsynced watcher that has not acked for this long, in milliseconds. */
const SLOW_MS = 30_000;
/** Entries of a snapshot that are read and sent at once. */
const BATCH = 64;

/** How far an unsynced watcher is. */
interface Unsynced {
  /** The watcher was sent all changes up to this revision. A snapshot shows the bucket at this revision. */
  readonly position: number;
  /**
   * Present while the snapshot is not complete: the entries after this key are still to be sent. Undefined before the
   * first entry. Without the view's prefix, because an attachment has little room.
   */
  readonly snapshot?: { readonly after: string | undefined };
  /** Time of the last ack, in milliseconds since the epoch. */
  readonly ackedAt: number;
}

/**
 * What a socket keeps while its bucket hibernates. The member names are stored: sockets that were accepted by an older
 * version carry them, so they must not change. See {@link save} and {@link unsyncedOf}.
 */
interface Attachment {
  readonly kind: typeof WATCH;
  readonly view: View;
  /** Absent for a synced watcher: while the bucket hibernates nothing changes, so it stays synced. */
  readonly behind?: (Omit<Unsynced, "ackedAt"> & { readonly heardAt: number }) | undefined;
}

interface Watcher {
  readonly socket: WebSocket;
  readonly view: View;
  /** Equal for watchers with equal views. */
  readonly viewName: string;
  /** Undefined: the watcher is synced. */
  unsynced: Unsynced | undefined;
  readonly window: FlowWindow;
}

/** The watchers of one bucket, on WebSockets with hibernation. */
export class Watchers {
  readonly #ctx: DurableObjectState;
  readonly #options: WatchersOptions;
  readonly #watchers = new Map<WebSocket, Watcher>();
  readonly #announceEvery: number;
  readonly #windows = new Budget(WINDOWS);

  constructor(ctx: DurableObjectState, options: WatchersOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.#announceEvery = Math.max(1, Math.floor(options.logLimit / 4));
    for (const socket of ctx.getWebSockets(WATCH)) {
      const attachment = socket.deserializeAttachment() as Attachment;
      this.#add(socket, attachment.view, unsyncedOf(attachment));
    }
  }

  /** Accepts a watcher. @throws {KvError} `revision_compacted` if the log no longer has the changes after `since` */
  accept({ view, since, snapshot }: WatchRequest): Response {
    const { log } = this.#options.entries;
    const position = since?.revision ?? log.revision;
    const another = since?.incarnation !== undefined && since.incarnation !== this.#options.incarnation();
    if (another || !log.covers(position)) throw revisionCompacted();
    const { 0: client, 1: server } = new WebSocketPair();
    // Answers pings without waking the bucket.
    this.#ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    // Server-Sent Events go through a Worker, whose response already takes a place for a connection.
    this.#ctx.acceptWebSocket(server, view.format === "sse" ? [WATCH] : [WATCH, OUTSIDE]);
    // A watcher that resumes has received its snapshot before.
    const unsynced: Unsynced = {
      position,
      ackedAt: this.#options.clock(),
      ...(snapshot && since === undefined ? { snapshot: { after: undefined } } : {}),
    };
    const watcher = this.#add(server, view, unsynced);
    // No id before a snapshot is complete: a client can't resume in the middle of one.
    const id = unsynced.snapshot === undefined ? { id: this.#id(position) } : {};
    this.#send(watcher, [{ event: "begin", ...id, revision: position }]);
    this.#advance(watcher);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Sends changes. Call it in the turn of the write, so that the output gate holds them back until they are on disk. */
  publish(changes: readonly Change[]): void {
    if (this.#watchers.size === 0) return;
    for (const some of inParts(changes)) this.#publish(some);
  }

  /**
   * Sends the log's revision to all synced watchers. Call it before the log is trimmed: a watcher whose view saw none of
   * the trimmed changes can then still resume.
   */
  announce(): void {
    const { revision } = this.#options.entries.log;
    for (const watcher of this.#watchers.values()) {
      if (watcher.unsynced !== undefined) continue;
      this.#send(watcher, [{ event: "position", id: this.#id(revision), revision }]);
    }
  }

  #publish(changes: readonly Change[]): void {
    const first = changes[0]?.revision ?? 0;
    const last = changes.at(-1)?.revision ?? 0;
    const announces = Math.floor(last / this.#announceEvery) > Math.floor((first - 1) / this.#announceEvery);
    // Many watchers share few views, so the text of each view is made once.
    const texts = new Map<string, string>();
    for (const watcher of this.#watchers.values()) {
      if (watcher.unsynced !== undefined) {
        this.#dropIfSlow(watcher, watcher.unsynced);
        continue;
      }
      const { view, viewName } = watcher;
      let text = texts.get(viewName);
      if (text === undefined) {
        text = this.#textOf(view, changes, announces ? last : undefined);
        texts.set(viewName, text);
      }
      if (text === "") continue;
      this.#write(watcher, text);
      if (!watcher.window.hasRoomFor(0)) this.#unsync(watcher, last);
    }
  }

  /** An ack: the watcher has read so much, or everything that it was sent. */
  acknowledged(socket: WebSocket, message: string | ArrayBuffer): void {
    const watcher = this.#watchers.get(socket);
    if (watcher === undefined) return;
    watcher.window.acked(ackOf(message));
    if (watcher.unsynced === undefined) return;
    watcher.unsynced = { ...watcher.unsynced, ackedAt: this.#options.clock() };
    this.#advance(watcher);
  }

  /** Drops slow watchers. @returns when the next one becomes slow; undefined if all watchers are synced */
  dropSlow(): number | undefined {
    let next: number | undefined;
    for (const watcher of this.#watchers.values()) {
      if (watcher.unsynced === undefined || this.#dropIfSlow(watcher, watcher.unsynced)) continue;
      next = Math.min(next ?? Infinity, slowAt(watcher.unsynced));
    }
    return next;
  }

  forget(socket: WebSocket): void {
    this.#watchers.get(socket)?.window.acked();
    this.#watchers.delete(socket);
  }

  /** Closes all watchers: the bucket has ended (`DOWN`), or is about to be reset (`RESTARTED`). */
  closeAll(event: "DOWN" | "RESTARTED", reason: string): void {
    const [code, word] = event === "DOWN" ? [CLOSE_GOING_AWAY, "noproc"] : [CLOSE_RESTART, "restarted"];
    for (const watcher of this.#watchers.values()) {
      this.#send(watcher, [{ event, reason }]);
      watcher.socket.close(code, word);
    }
    this.#watchers.clear();
  }

  /** Closes all watchers: the server is stopping. They reconnect and resume after their last event. */
  serverStopping(): void {
    for (const { socket } of this.#watchers.values()) socket.close(CLOSE_RESTART, "server_stopping");
    this.#watchers.clear();
  }

  #add(socket: WebSocket, view: View, unsynced: Unsynced | undefined): Watcher {
    const window = new FlowWindow(this.#windows);
    const watcher: Watcher = { socket, view, viewName: nameOf(view), unsynced, window };
    this.#watchers.set(socket, watcher);
    return watcher;
  }

  /** Sends an unsynced watcher what comes next, until its window is full or it is synced. */
  #advance(watcher: Watcher): void {
    while (watcher.unsynced !== undefined && watcher.window.hasRoomFor(0)) {
      const { unsynced } = watcher;
      if (unsynced.snapshot === undefined) this.#sendLog(watcher, unsynced);
      else this.#sendSnapshot(watcher, unsynced, unsynced.snapshot.after);
      if (!this.#watchers.has(watcher.socket)) return;
    }
    if (watcher.unsynced !== undefined) this.#options.slowBy(slowAt(watcher.unsynced));
    save(watcher);
  }

  /** Sends the next batch of the log. If there is none, the watcher is synced. */
  #sendLog(watcher: Watcher, unsynced: Unsynced): void {
    const { log } = this.#options.entries;
    if (!log.covers(unsynced.position)) {
      this.#drop(
        watcher,
        "revision_compacted",
        "The log no longer has the next changes. Start again with a snapshot.",
      );
      return;
    }
    const changes = log.after(unsynced.position);
    if (changes.length === 0) {
      watcher.unsynced = undefined;
      return;
    }
    let last: Change | undefined;
    for (const some of inParts(changes)) {
      const text = this.#textOf(watcher.view, some, undefined);
      if (text !== "") this.#write(watcher, text);
      last = some.at(-1) ?? last;
      if (!watcher.window.hasRoomFor(0)) break;
    }
    if (last === undefined) return;
    // The client can then resume after changes that its view left out.
    if (!sees(watcher.view, last.key)) {
      this.#send(watcher, [{ event: "position", id: this.#id(last.revision), revision: last.revision }]);
    }
    watcher.unsynced = { ...unsynced, position: last.revision };
  }

  /** Sends the next batch of the snapshot. Entries that changed after its position are left out: they are in the log. */
  #sendSnapshot(watcher: Watcher, { position, ackedAt }: Unsynced, after: string | undefined): void {
    const { view } = watcher;
    const { entries } = this.#options;
    const range =
      view.scope === "prefix" ? { prefix: view.text } : { start: view.text, end: `${view.text}\0` };
    const page = entries.list({
      ...range,
      after: after === undefined ? undefined : view.text + after,
      limit: BATCH,
      values: view.values,
    });
    let last: Listed | undefined;
    for (const some of inParts(page.entries)) {
      const events = some
        .filter(({ revision }) => revision <= position)
        .map((listed) => this.#entryEvent(listed));
      if (events.length > 0) this.#send(watcher, events);
      last = some.at(-1) ?? last;
      if (!watcher.window.hasRoomFor(0)) break;
    }
    if (page.more || last !== page.entries.at(-1)) {
      watcher.unsynced = { position, ackedAt, snapshot: { after: last?.key.slice(view.text.length) } };
      return;
    }
    this.#send(watcher, [{ event: "end_of_snapshot", id: this.#id(position), revision: position }]);
    watcher.unsynced = { position, ackedAt };
  }

  #entryEvent({ value, ...listed }: Listed): WatchEvent {
    const isSmall = value !== undefined && listed.size <= LOGGED_VALUE_BYTES;
    return entryEvent(this.#options.incarnation(), isSmall ? { ...listed, value } : listed);
  }

  /** The message with the changes that a view sees, and with `position` as its last event. Empty if there is neither. */
  #textOf(view: View, changes: readonly Change[], position: number | undefined): string {
    const incarnation = this.#options.incarnation();
    const seen = changes.filter(({ key }) => sees(view, key));
    const events = seen.map((change) =>
      changeEvent(incarnation, change, view.values && change.size <= LOGGED_VALUE_BYTES),
    );
    // A client whose view saw nothing for long can then still resume.
    if (position !== undefined)
      events.push({ event: "position", id: this.#id(position), revision: position });
    return events.length === 0 ? "" : render(view.format, events);
  }

  /** Makes a synced watcher unsynced; it was sent everything up to the position. */
  #unsync(watcher: Watcher, position: number): void {
    const unsynced = { position, ackedAt: this.#options.clock() };
    watcher.unsynced = unsynced;
    this.#options.slowBy(slowAt(unsynced));
    save(watcher);
  }

  /** @returns whether it was dropped */
  #dropIfSlow(watcher: Watcher, unsynced: Unsynced): boolean {
    const now = this.#options.clock();
    if (unsynced.ackedAt > now) {
      // The clock was set back. Count from now, so that the watcher is dropped neither too early nor never.
      watcher.unsynced = { ...unsynced, ackedAt: now };
      return false;
    }
    if (now < slowAt(unsynced)) return false;
    const next =
      unsynced.snapshot === undefined ? "resume after the last event's id" : "ask for another snapshot";
    this.#drop(watcher, "slow_reader", `The client has not read what it was sent. Reconnect and ${next}.`);
    return true;
  }

  #drop(watcher: Watcher, code: ErrorCode, detail: string): void {
    this.#send(watcher, [{ event: "dropped", ...failure(code, detail) }]);
    watcher.socket.close(CLOSE_TRY_AGAIN, code);
    this.forget(watcher.socket);
  }

  #send(watcher: Watcher, events: readonly WatchEvent[]): void {
    this.#write(watcher, render(watcher.view.format, events));
  }

  #write(watcher: Watcher, text: string): void {
    if (watcher.socket.readyState !== WebSocket.OPEN) {
      this.forget(watcher.socket);
      return;
    }
    watcher.window.sent(text.length);
    watcher.socket.send(text);
  }

  #id(revision: number): string {
    return etag(this.#options.incarnation(), revision);
  }
}

/** When an unsynced watcher becomes slow, in milliseconds since the epoch. */
function slowAt({ ackedAt }: Unsynced): number {
  return ackedAt + SLOW_MS;
}

/** Keeps a watcher's state through hibernation, under the stored names. */
function save({ socket, view, unsynced }: Watcher): void {
  socket.serializeAttachment({
    kind: WATCH,
    view,
    behind: unsynced && stored(unsynced),
  } satisfies Attachment);
}

function stored({ ackedAt, ...rest }: Unsynced): Attachment["behind"] {
  return { ...rest, heardAt: ackedAt };
}

/** The state that {@link save} has kept; undefined for a synced watcher. */
function unsyncedOf({ behind }: Attachment): Unsynced | undefined {
  if (behind === undefined) return undefined;
  const { heardAt, ...rest } = behind;
  return { ...rest, ackedAt: heardAt };
}

function nameOf({ format, values, scope, text }: View): string {
  return `${format} ${values} ${scope} ${text}`;
}

function revisionCompacted(): KvError {
  return new KvError(
    "revision_compacted",
    "The changes after this revision are no longer in the log, or belong to an earlier bucket of this name. Start again with ?snapshot=true.",
  );
}
