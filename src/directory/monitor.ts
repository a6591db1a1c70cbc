/** Monitors a bucket: reports its restarts and, once, its end. */

import type { Directory } from "./directory.ts";
import type { RegistryEvent } from "../model/registry-event.ts";

export interface MonitorCallbacks {
  readonly restarted: (reason: string) => void;
  /** Called once; no callback follows. */
  readonly down: (reason: string) => void;
}

/** A running monitor. */
export interface RunningMonitor {
  readonly incarnation: string;
  /** Ends the monitor, as OTP's `demonitor` with `flush`: no callback follows. */
  readonly close: () => void;
}

/**
 * Monitors the bucket that has the name now: this incarnation, never its successor.
 * @returns undefined if there is none, as OTP's `noproc`
 */
export async function startMonitor(
  directory: Directory,
  name: string,
  callbacks: MonitorCallbacks,
): Promise<RunningMonitor | undefined> {
  let incarnation: string | undefined;
  let closed = false;
  const end = (reason: string): void => {
    if (closed) return;
    close();
    callbacks.down(reason);
  };
  const onEvents = (events: readonly RegistryEvent[]): void => {
    for (const event of events) {
      if (closed || event.incarnation !== incarnation) continue;
      if (event.kind === "RESTARTED") callbacks.restarted(event.reason ?? "");
      if (event.kind === "DOWN") end(event.reason ?? "");
    }
  };
  const onLost = async (): Promise<void> => {
    // The events are lost, but the registry still knows whether the bucket is running.
    const hello = await follower.startOver();
    if (hello?.found?.incarnation !== incarnation) end("noproc");
  };
  const follower = directory.follower(name, { events: onEvents, lost: () => void onLost() });
  const close = (): void => {
    closed = true;
    follower.close();
  };

  const hello = await follower.start();
  if (hello === undefined || hello.found === null) {
    close();
    return undefined;
  }
  ({ incarnation } = hello.found);
  return { incarnation, close };
}
