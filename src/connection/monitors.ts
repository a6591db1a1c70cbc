/** The monitors that MONITOR started on one connection. */

import { signalLine } from "../text/replies.ts";
import { KvError } from "../model/errors.ts";
import type { Directory } from "../directory/directory.ts";
import { startMonitor, type RunningMonitor } from "../directory/monitor.ts";
import type { Offer } from "./feeds.ts";

/** The most monitors on one connection. Each is a WebSocket to a registry partition. */
const MAX_MONITORS = 1_000;

export class ConnectionMonitors {
  readonly #directory: Directory;
  readonly #offer: Offer;
  readonly #tooSlow: () => void;
  readonly #running = new Map<string, RunningMonitor>();
  #closed = false;

  /** @param tooSlow called when a line can't be sent; it should close the connection, as no client may miss a DOWN */
  constructor(directory: Directory, offer: Offer, tooSlow: () => void) {
    this.#directory = directory;
    this.#offer = offer;
    this.#tooSlow = tooSlow;
  }

  /**
   * Monitors the bucket that has the name now. @returns false if there is none
   * @throws {KvError} `too_many_monitors`
   */
  async add(bucket: string): Promise<boolean> {
    const before = this.#running.get(bucket);
    if (before !== undefined) {
      // A second MONITOR of the same bucket changes nothing. If another bucket has the name now, monitor that one: the
      // DOWN of the first is still on its way.
      const found = await this.#directory.lookup(bucket);
      if (found === undefined) return false;
      if (found.incarnation === before.incarnation) return true;
    }
    if (this.#running.size >= MAX_MONITORS) {
      throw new KvError(
        "too_many_monitors",
        `A connection has at most ${MAX_MONITORS} monitors. Open another connection.`,
      );
    }
    let monitor: RunningMonitor | undefined;
    monitor = await startMonitor(this.#directory, bucket, {
      restarted: (reason) => this.#say("RESTARTED", bucket, reason),
      down: (reason) => {
        if (this.#running.get(bucket) === monitor) this.#running.delete(bucket);
        this.#say("DOWN", bucket, reason);
      },
    });
    if (monitor === undefined) return false;
    if (this.#closed) monitor.close();
    else this.#running.set(bucket, monitor);
    return true;
  }

  closeAll(): void {
    this.#closed = true;
    for (const monitor of this.#running.values()) monitor.close();
    this.#running.clear();
  }

  #say(kind: "DOWN" | "RESTARTED", bucket: string, reason: string): void {
    if (!this.#offer(signalLine({ kind, bucket, reason }))) this.#tooSlow();
  }
}
