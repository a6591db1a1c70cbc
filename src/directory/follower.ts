/**
 * Follows the events of a registry partition, through restarts of the partition:
 *
 * 1. Connect to the partition's feed, after the last position that is known, or from now on.
 * 2. The partition says hello with its position, then sends events and positions. Events up to the known position are
 *    duplicates, and are skipped.
 * 3. When the connection breaks, connect again, with doubled waits, after the last position. The partition's log has
 *    the events of the meantime.
 * 4. If the log no longer reaches back to that position, events are lost. The owner of the follower decides what to do.
 */

import type { RegistryEvent } from "../model/registry-event.ts";
import type { FeedMessage, Hello } from "../rpc/registry-rpc.ts";

/** Callbacks of a follower. */
export interface FollowerCallbacks {
  /** New events, in order, each exactly once. */
  readonly events: (events: readonly RegistryEvent[]) => void;
  /** There are no more events up to this position. */
  readonly position?: (seq: number) => void;
  /** The log does not reach back to the follower's position: the events in between are lost. */
  readonly lost: () => void;
}

/**
 * Opens the feed, with the events after `since`, or from now on.
 * @returns null if the log does not reach back to `since`
 */
export type OpenFeed = (since: number | undefined) => Promise<WebSocket | null>;

/** The wait before the second attempt to reconnect, in milliseconds; doubled after each attempt, up to the limit. */
const RETRY_MS = 50;
const RETRY_LIMIT_MS = 5_000;

export class Follower {
  readonly #open: OpenFeed;
  readonly #callbacks: FollowerCallbacks;
  #socket: WebSocket | undefined;
  #position: number | undefined;
  #closed = false;

  constructor(open: OpenFeed, callbacks: FollowerCallbacks) {
    this.#open = open;
    this.#callbacks = callbacks;
  }

  /**
   * Starts to follow, after `since` or from now on.
   * @returns where it starts; undefined if the log does not reach back to `since`
   */
  async start(since?: number): Promise<Hello | undefined> {
    this.#position = since;
    return this.#connect();
  }

  /** Starts again from now on, as soon as the partition can be reached. @returns undefined if it was closed meanwhile */
  startOver(): Promise<Hello | undefined> {
    this.#position = undefined;
    return this.#connectWithRetries();
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
  }

  async #connect(): Promise<Hello | undefined> {
    const socket = await this.#open(this.#position);
    if (socket === null) return undefined;
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      let greeted = false;
      socket.addEventListener("message", ({ data }: { data: unknown }) => {
        const message = JSON.parse(String(data)) as FeedMessage;
        if ("hello" in message) {
          greeted = true;
          this.#position ??= message.hello.position;
          resolve(message.hello);
        } else if ("events" in message) this.#onEvents(message.events);
        else this.#onPosition(message.position);
      });
      const broken = (): void => {
        if (socket !== this.#socket) return;
        this.#socket = undefined;
        if (greeted) void this.#reconnect();
        else reject(new Error("the partition closed the feed"));
      };
      socket.addEventListener("close", broken);
      socket.addEventListener("error", broken);
      socket.accept();
      if (this.#closed) socket.close();
    });
  }

  #onEvents(events: readonly RegistryEvent[]): void {
    const fresh = events.filter(({ seq }) => seq > (this.#position ?? 0));
    const last = fresh.at(-1);
    if (last === undefined || this.#closed) return;
    this.#position = last.seq;
    this.#callbacks.events(fresh);
  }

  #onPosition(position: number): void {
    if (position <= (this.#position ?? 0) || this.#closed) return;
    this.#position = position;
    this.#callbacks.position?.(position);
  }

  async #reconnect(): Promise<void> {
    const hello = await this.#connectWithRetries();
    if (hello === undefined && !this.#closed) this.#callbacks.lost();
  }

  async #connectWithRetries(): Promise<Hello | undefined> {
    for (let wait = RETRY_MS; !this.#closed; wait = Math.min(wait * 2, RETRY_LIMIT_MS)) {
      try {
        return await this.#connect();
      } catch {
        // The partition is restarting, or can't be reached. Its log keeps the events of the meantime.
        await scheduler.wait(wait);
      }
    }
    return undefined;
  }
}
