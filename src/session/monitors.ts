/** The monitors that MONITOR has set on one connection. */

import { signalLine } from "../command/reply.ts";
import type { Directory } from "../registry/directory.ts";
import { monitorBucket, type RunningMonitor } from "../registry/monitor.ts";
import type { Offer } from "./feeds.ts";

export class SessionMonitors {
  readonly #directory: Directory;
  readonly #offer: Offer;
  readonly #running = new Map<string, RunningMonitor>();
  #closed = false;

  constructor(directory: Directory, offer: Offer) {
    this.#directory = directory;
    this.#offer = offer;
  }

  /** Monitors the bucket that has the name now. @returns false if there is none. */
  async add(bucket: string): Promise<boolean> {
    // Monitoring twice is monitoring once: one line tells of the end.
    if (this.#running.has(bucket)) return true;
    const monitor = await monitorBucket(this.#directory, bucket, {
      restarted: (reason) => this.#offer(signalLine({ kind: "RESTARTED", bucket, reason })),
      down: (reason) => {
        this.#running.delete(bucket);
        this.#offer(signalLine({ kind: "DOWN", bucket, reason }));
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
}
