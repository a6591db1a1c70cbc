/** An engine that is started again when it ends by itself. */

import type { Engine } from "./engine.ts";
import { Restarts } from "./restarts.ts";

/** A service that outlives its engines. */
export interface Supervised {
  /** The first engine's ports, which every later one gets too. */
  readonly ports: Engine["ports"];
  /** Ends it for good. Safe to call more than once. */
  stop(): Promise<void>;
}

export interface SupervisorOptions {
  /** Starts an engine; on these ports, if there was one before. */
  readonly start: (ports: Engine["ports"] | undefined) => Promise<Engine>;
  readonly log: (line: string) => void;
  /** Milliseconds that never go back. */
  readonly clock: () => number;
  /** Resolves so many milliseconds later, or when the signal is aborted. */
  readonly wait: (ms: number, stopping: AbortSignal) => Promise<void>;
}

/**
 * Starts an engine and keeps one running, as a supervisor keeps its child: what is acknowledged is on disk, so a new
 * one goes on where the last one was. Not more than five times a minute: one that keeps ending is not mended by a start.
 *
 * @throws as the first start does; later ones are logged, and tried again
 */
export async function supervise({ start, log, clock, wait }: SupervisorOptions): Promise<Supervised> {
  const restarts = new Restarts(clock);
  const stopping = new AbortController();
  const { signal } = stopping;
  let engine: Engine | undefined = await start(undefined);
  const { ports } = engine;

  const startAgain = async (why: string): Promise<Engine | undefined> => {
    const delay = restarts.next();
    const when = delay === 0 ? "It is started again" : `It is started again in ${Math.ceil(delay / 1_000)} s`;
    log(`${why} ${when}.`);
    if (delay > 0) await wait(delay, signal);
    if (signal.aborted) return undefined;
    try {
      const next = await start(ports);
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
      // One that was being started ends with its start, or here.
      await watched;
      await engine?.stop();
    },
  };
}
