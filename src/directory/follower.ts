/** Follows a partition's events from outside, through restarts of the partition. */

import type { RegistryEvent } from "../model/registry-event.ts";
import type { FeedMessage, Hello } from "../rpc/registry-rpc.ts";

/** What a follower is told. */
export interface Heard {
  /** Events in order, each of them once. */
  readonly events: (events: readonly RegistryEvent[]) => void;
  /** There was nothing up to this position. */
  readonly position?: (seq: number) => void;
  /** The log does not reach back to where the follower was: what came in between is not known. */
  readonly lost: () => void;
}

/** Opens the feed behind an event; from now on, if none is given; null where the log has lost that. */
export type OpenFeed = (since: number | undefined) => Promise<WebSocket | null>;

/** The wait before the first try to connect again, in milliseconds; doubled up to the limit. */
const RETRY_MS = 50;
const RETRY_LIMIT_MS = 5_000;

export class Follower {
  readonly #open: OpenFeed;
  readonly #heard: Heard;
  #socket: WebSocket | undefined;
  #position: number | undefined;
  #closed = false;

  constructor(open: OpenFeed, heard: Heard) {
    this.#open = open;
    this.#heard = heard;
  }

  /**
   * Begins to follow, behind `since` or from now on.
   * @returns where it begins; undefined where the log does not reach back so far.
   */
  async start(since?: number): Promise<Hello | undefined> {
    this.#position = since;
    return this.#connect();
  }

  /** Begins anew, from now on, as soon as the partition can be reached. Undefined if it was closed meanwhile. */
  startOver(): Promise<Hello | undefined> {
    this.#position = undefined;
    return this.#connectAtLast();
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
        } else if ("events" in message) this.#hear(message.events);
        else this.#reach(message.position);
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

  #hear(events: readonly RegistryEvent[]): void {
    const fresh = events.filter(({ seq }) => seq > (this.#position ?? 0));
    const last = fresh.at(-1);
    if (last === undefined || this.#closed) return;
    this.#position = last.seq;
    this.#heard.events(fresh);
  }

  #reach(position: number): void {
    if (position <= (this.#position ?? 0) || this.#closed) return;
    this.#position = position;
    this.#heard.position?.(position);
  }

  async #reconnect(): Promise<void> {
    const hello = await this.#connectAtLast();
    if (hello === undefined && !this.#closed) this.#heard.lost();
  }

  async #connectAtLast(): Promise<Hello | undefined> {
    for (let wait = RETRY_MS; !this.#closed; wait = Math.min(wait * 2, RETRY_LIMIT_MS)) {
      try {
        return await this.#connect();
      } catch {
        // The partition is restarting, or out of reach. What happens there meanwhile is in its log.
        await scheduler.wait(wait);
      }
    }
    return undefined;
  }
}
