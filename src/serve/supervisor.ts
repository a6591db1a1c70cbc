/** Restarts the engine when it crashes. */

import type { Engine } from "./engine.ts";
import { Restarts } from "./restarts.ts";

/** A service whose engine is restarted. */
export interface Supervised {
  /** The first engine's ports. Later engines use the same ones. */
  readonly ports: Engine["ports"];
  /** Stops the service. Safe to call more than once. */
  stop(): Promise<void>;
}

export interface SupervisorOptions {
  /** Starts an engine, on the ports of the previous one if there was one. */
  readonly start: (ports: Engine["ports"] | undefined) => Promise<Engine>;
  readonly log: (line: string) => void;
  /** A monotonic clock, in milliseconds. */
  readonly clock: () => number;
  /** Resolves after `ms` milliseconds, or when the signal is aborted. */
  readonly wait: (ms: number, stopping: AbortSignal) => Promise<void>;
}

/**
 * Starts an engine and restarts it when it ends, as an OTP supervisor does with its child. Acknowledged writes are on
 * disk, so the new engine has all data. At most five restarts a minute: more would not help an engine that keeps
 * crashing.
 *
 * @throws if the first start fails; later failures are logged and retried
 */
export async function supervise({ start, log, clock, wait }: SupervisorOptions): Promise<Supervised> {
  const restarts = new Restarts(clock);
  const stopping = new AbortController();
  const { signal } = stopping;
  let engine: Engine | undefined = await start(undefined);
  const { ports } = engine;

  const startAgain = async (why: string): Promise<Engine | undefined> => {
    const delay = restarts.next();
    log(`${why} Restarting it${delay === 0 ? "" : ` in ${Math.ceil(delay / 1_000)} s`}.`);
    if (delay > 0) await wait(delay, signal);
    if (signal.aborted) return undefined;
    try {
      const next = await start(ports);
      if (signal.aborted) {
        // It was stopped meanwhile, and nobody would stop this one.
        await next.stop();
        return undefined;
      }
      log("The engine is back.");
      return next;
    } catch (error) {
      return signal.aborted
        ? undefined
        : startAgain(`The engine could not be started: ${(error as Error).message}`);
    }
  };
  const watch = async (): Promise<void> => {
    while (engine !== undefined) {
      const code = await engine.ended;
      if (signal.aborted) return;
      engine = await startAgain(`The engine ended by itself (code ${code}).`);
    }
  };
  const watched = watch();
  return {
    ports,
    async stop() {
      stopping.abort();
      await engine?.stop();
      // An engine that was just being started ends with its start, or here.
      await watched;
      await engine?.stop();
    },
  };
}
