/** An engine that is started again when it ends by itself. */

import type { Engine } from "./engine.ts";
import { Restarts } from "./restarts.ts";

/** A service that outlives its engines. */
export interface Supervised {
  /** The first engine's ports, which every later one gets too. */
  readonly ports: Engine["ports"];
  /** Settles when it has ended by itself too often to be started again; never otherwise. */
  readonly failed: Promise<string>;
  /** Ends it for good. Safe to call more than once. */
  stop(): Promise<void>;
}

export interface SupervisorOptions {
  /** Starts an engine; on these ports, if there was one before. */
  readonly start: (ports: Engine["ports"] | undefined) => Promise<Engine>;
  readonly log: (line: string) => void;
  /** Milliseconds that never go back. */
  readonly clock: () => number;
}

/**
 * Starts an engine and keeps one running, as a supervisor keeps its child: what is acknowledged is on disk, so a new
 * one goes on where the last one was. Not for ever: one that keeps ending is not mended by another start.
 */
export async function supervise({ start, log, clock }: SupervisorOptions): Promise<Supervised> {
  const restarts = new Restarts(clock);
  let engine = await start(undefined);
  const { ports } = engine;
  let stopping = false;
  const failed = Promise.withResolvers<string>();
  let starting: Promise<unknown> = Promise.resolve();

  const watch = async (): Promise<void> => {
    for (;;) {
      const code = await engine.ended;
      if (stopping) return;
      if (!restarts.allow()) {
        failed.resolve(
          `The engine ended by itself (code ${code}), once more than it is started again in a minute.`,
        );
        return;
      }
      log(`The engine ended by itself (code ${code}). It is started again.`);
      try {
        const next = start(ports);
        starting = next.catch(() => undefined);
        engine = await next;
        log(`The engine is back.`);
      } catch (error) {
        if (!stopping) failed.resolve((error as Error).message);
        return;
      }
    }
  };
  void watch();
  return {
    ports,
    failed: failed.promise,
    async stop() {
      stopping = true;
      // One that is being started ends with its start, or by our hand.
      await starting;
      await engine.stop();
    },
  };
}
