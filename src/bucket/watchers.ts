/** Those who watch a bucket: each hears every change once, in order, at its own pace. */

import { CLOSE_GOING_AWAY, CLOSE_RESTART, CLOSE_TRY_AGAIN } from "../lib/close-codes.ts";
import { failure, KvError, type ErrorCode } from "../model/errors.ts";
import { Budget } from "../lib/budget.ts";
import { ackOf, FlowWindow } from "../lib/flow-window.ts";
import { OUTSIDE } from "../lib/connections.ts";
import type { Clock } from "../otp/timers.ts";
import { LOGGED_VALUE_BYTES, type Change } from "../store/change-log.ts";
import { etag } from "../model/conditions.ts";
import type { Entries } from "../store/entries.ts";
import type { View, WatchRequest } from "../model/watch.ts";
import { changeEvent, entryEvent, render, sees, type WatchEvent } from "./watch-view.ts";

/** The tag of watchers' sockets. */
export const WATCH = "watch";

const PING = '{"ping":true}';
const PONG = '{"pong":true}';

/**
 * Characters that are sent to a watcher before it has to acknowledge them; and to all of the bucket's. Where those have used
 * theirs up, each still has a share, which is more than a client reads before it acknowledges.
 */
const WINDOWS = { each: 1_048_576, all: 32 * 1_048_576, share: 262_144 };
/** Bytes of values in one message, about. */
const PART_BYTES = 262_144;
/** How long a watcher may keep changes waiting before it is dropped, in milliseconds. */
const SLOW_MS = 30_000;
/** Changes, or entries of a snapshot, that are read and sent at once. */
const BATCH = 64;

/** Where a watcher is that is not up to date: it is sent more when it has said that it has read what it has. */
interface Behind {
  /** All up to this revision is sent, but for the rest of the snapshot. */
  readonly position: number;
  /**
   * Entries behind this key are still to come, as of the position: what comes behind the view's prefix in it,
   * because an attachment has little room. Undefined before the first.
   */
  readonly snapshot?: { readonly after: string | undefined };
  /** When it was last heard of, in milliseconds since the epoch. */
  readonly heardAt: number;
}

/** What a socket carries through hibernation; while its bucket sleeps a watcher misses nothing. */
interface Attachment {
  readonly kind: typeof WATCH;
  readonly view: View;
  readonly behind?: Behind | undefined;
}

interface Watcher {
  readonly socket: WebSocket;
  readonly view: View;
  /** The same for those who see the same. */
  readonly viewName: string;
  behind: Behind | undefined;
  readonly window: FlowWindow;
}

export interface WatchersOptions {
  readonly entries: Entries;
  readonly clock: Clock;
  readonly incarnation: () => string;
  /** How many changes the log keeps. */
  readonly logLimit: number;
  /** Has {@link Watchers.dropSlow} called by then. */
  readonly slowBy: (at: number) => void;
}

/**
 * The bucket's watchers, on WebSockets with hibernation.
 *
 * One that keeps up is sent each change as it happens. One that does not say that it reads is sent no more than
 * a window: the log is its buffer, not the memory. It goes on from there when it is heard of, and is dropped,
 * with the reason, when that takes too long or the log has moved on without it.
 */
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
      const { view, behind } = socket.deserializeAttachment() as Attachment;
      this.#watchers.set(socket, {
        socket,
        view,
        viewName: nameOf(view),
        behind,
        window: new FlowWindow(this.#windows),
      });
    }
  }

  /** @throws {KvError} `revision_compacted`: the log does not reach back so far. */
  accept({ view, since, snapshot }: WatchRequest): Response {
    const { log } = this.#options.entries;
    const position = since?.revision ?? log.revision;
    const another = since?.incarnation !== undefined && since.incarnation !== this.#options.incarnation();
    if (another || !log.covers(position)) throw revisionCompacted();
    const { 0: client, 1: server } = new WebSocketPair();
    // A sign of life for whoever wants one, without waking the bucket.
    this.#ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    // Events for a stream are the Worker's to send on: that has a place itself.
    this.#ctx.acceptWebSocket(server, view.format === "sse" ? [WATCH] : [WATCH, OUTSIDE]);
    const heardAt = this.#options.clock();
    // Who resumes has had the snapshot.
    const behind = {
      position,
      heardAt,
      ...(snapshot && since === undefined ? { snapshot: { after: undefined } } : {}),
    };
    const watcher: Watcher = {
      socket: server,
      view,
      viewName: nameOf(view),
      behind,
      window: new FlowWindow(this.#windows),
    };
    this.#watchers.set(server, watcher);
    // In a snapshot there is no coming back to the middle of it.
    const id = behind.snapshot === undefined ? { id: this.#id(position) } : {};
    this.#send(watcher, [{ event: "begin", ...id, revision: position }]);
    this.#advance(watcher);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Tells of changes; to be called in the turn in which they were made: the output gate holds it back. */
  publish(changes: readonly Change[]): void {
    for (const some of inParts(changes)) this.#publish(some);
  }

  /** Tells everybody how far the log is; to be called before it forgets, for those who saw nothing of it. */
  announce(): void {
    const { revision } = this.#options.entries.log;
    for (const watcher of this.#watchers.values()) {
      if (watcher.behind !== undefined) continue;
      this.#send(watcher, [{ event: "position", id: this.#id(revision), revision }]);
    }
  }

  #publish(changes: readonly Change[]): void {
    if (this.#watchers.size === 0) return;
    const first = changes[0]?.revision ?? 0;
    const last = changes.at(-1)?.revision ?? 0;
    const announces = Math.floor(last / this.#announceEvery) > Math.floor((first - 1) / this.#announceEvery);
    // Many watchers, few ways to look: what each view sees is written once.
    const texts = new Map<string, string>();
    for (const watcher of this.#watchers.values()) {
      if (watcher.behind !== undefined) {
        this.#dropIfSlow(watcher, watcher.behind);
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
      if (!watcher.window.hasRoomFor(0)) this.#fallBehind(watcher, last);
    }
  }

  /** The watcher says that it has read what it was sent. */
  acknowledged(socket: WebSocket, message: string | ArrayBuffer): void {
    const watcher = this.#watchers.get(socket);
    if (watcher === undefined) return;
    watcher.window.acked(ackOf(message));
    if (watcher.behind === undefined) return;
    watcher.behind = { ...watcher.behind, heardAt: this.#options.clock() };
    this.#advance(watcher);
  }

  /** Drops those who have left too much unread for too long. @returns when the next one would be; undefined if none is behind */
  dropSlow(): number | undefined {
    let next: number | undefined;
    for (const watcher of this.#watchers.values()) {
      if (watcher.behind === undefined || this.#dropIfSlow(watcher, watcher.behind)) continue;
      next = Math.min(next ?? Infinity, slowAt(watcher.behind));
    }
    return next;
  }

  forget(socket: WebSocket): void {
    this.#watchers.get(socket)?.window.acked();
    this.#watchers.delete(socket);
  }

  /** The bucket has ended, or is about to be reset. */
  closeAll(event: "DOWN" | "RESTARTED", reason: string): void {
    const [code, word] = event === "DOWN" ? [CLOSE_GOING_AWAY, "noproc"] : [CLOSE_RESTART, "restarted"];
    for (const watcher of this.#watchers.values()) {
      this.#send(watcher, [{ event, reason }]);
      watcher.socket.close(code, word);
    }
    this.#watchers.clear();
  }

  /** The server is about to end. They come back behind what they have heard. */
  serverStopping(): void {
    for (const { socket } of this.#watchers.values()) socket.close(CLOSE_RESTART, "server_stopping");
    this.#watchers.clear();
  }

  /** Sends what a watcher has not had yet, as much as it can take. */
  #advance(watcher: Watcher): void {
    while (watcher.behind !== undefined && watcher.window.hasRoomFor(0)) {
      const { behind } = watcher;
      if (behind.snapshot === undefined) this.#replay(watcher, behind);
      else this.#sendEntries(watcher, behind, behind.snapshot.after);
      if (!this.#watchers.has(watcher.socket)) return;
    }
    if (watcher.behind !== undefined) this.#options.slowBy(slowAt(watcher.behind));
    watcher.socket.serializeAttachment({
      kind: WATCH,
      view: watcher.view,
      behind: watcher.behind,
    } satisfies Attachment);
  }

  #replay(watcher: Watcher, behind: Behind): void {
    const { log } = this.#options.entries;
    if (!log.covers(behind.position)) {
      this.#drop(watcher, "revision_compacted", "The log has moved on: begin anew, with a snapshot.");
      return;
    }
    const changes = log.after(behind.position, BATCH);
    const last = changes.at(-1);
    if (last === undefined) {
      watcher.behind = undefined;
      return;
    }
    for (const some of inParts(changes)) {
      const text = this.#textOf(watcher.view, some, undefined);
      if (text !== "") this.#write(watcher, text);
    }
    // What it was not told of it need not hear again.
    if (!sees(watcher.view, last.key)) {
      this.#send(watcher, [{ event: "position", id: this.#id(last.revision), revision: last.revision }]);
    }
    watcher.behind = { ...behind, position: last.revision };
  }

  /** Entries that have changed since the position are left out: the log tells of them. */
  #sendEntries(watcher: Watcher, { position, heardAt }: Behind, after: string | undefined): void {
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
    const events = page.entries
      .filter(({ revision }) => revision <= position)
      .map(({ value, ...listed }) => {
        const small = value !== undefined && listed.size <= LOGGED_VALUE_BYTES;
        return entryEvent(this.#options.incarnation(), small ? { ...listed, value } : listed);
      });
    const last = page.entries.at(-1);
    if (page.more && last !== undefined) {
      if (events.length > 0) this.#send(watcher, events);
      watcher.behind = { position, heardAt, snapshot: { after: last.key.slice(view.text.length) } };
      return;
    }
    const end: WatchEvent = { event: "end_of_snapshot", id: this.#id(position), revision: position };
    this.#send(watcher, [...events, end]);
    watcher.behind = { position, heardAt };
  }

  /** What a view sees of changes; if it is nothing, how far they go, where that is to be said. */
  #textOf(view: View, changes: readonly Change[], position: number | undefined): string {
    const incarnation = this.#options.incarnation();
    const seen = changes.filter(({ key }) => sees(view, key));
    const events = seen.map((change) =>
      changeEvent(incarnation, change, view.values && change.size <= LOGGED_VALUE_BYTES),
    );
    // A quiet watcher is not behind: it can come back however much happened that it did not ask for.
    if (position !== undefined)
      events.push({ event: "position", id: this.#id(position), revision: position });
    return events.length === 0 ? "" : render(view.format, events);
  }

  #fallBehind(watcher: Watcher, position: number): void {
    const behind = { position, heardAt: this.#options.clock() };
    watcher.behind = behind;
    this.#options.slowBy(slowAt(behind));
    watcher.socket.serializeAttachment({ kind: WATCH, view: watcher.view, behind } satisfies Attachment);
  }

  #dropIfSlow(watcher: Watcher, behind: Behind): boolean {
    const now = this.#options.clock();
    if (behind.heardAt > now) {
      // The clock was put back: counted from now on, so that it neither goes too soon nor stays for ever.
      watcher.behind = { ...behind, heardAt: now };
      return false;
    }
    if (now < slowAt(behind)) return false;
    const back = behind.snapshot === undefined ? "behind the last id" : "for another snapshot";
    this.#drop(watcher, "slow_reader", `Too much was sent and not read: come back ${back}.`);
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

function slowAt({ heardAt }: Behind): number {
  return heardAt + SLOW_MS;
}

/** Changes in parts, each of which makes a message of bearable length: JSON may be six times as long as a value. */
function* inParts(changes: readonly Change[]): Generator<readonly Change[], void, void> {
  let part: Change[] = [];
  let bytes = 0;
  for (const change of changes) {
    part.push(change);
    bytes += Math.min(change.size, LOGGED_VALUE_BYTES);
    if (bytes < PART_BYTES) continue;
    yield part;
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield part;
}

function nameOf({ format, values, scope, text }: View): string {
  return `${format} ${values} ${scope} ${text}`;
}

function revisionCompacted(): KvError {
  return new KvError(
    "revision_compacted",
    "The changes behind this revision are no longer kept, or were another bucket's. Begin anew: ?snapshot=true.",
  );
}
