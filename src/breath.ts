/** Long work, in pieces: between them, whatever else has come is let in. */

/**
 * Units of work between two breaths. One is about what a small command costs, 9 µs, so these are some 35 ms; to let others
 * in costs about 1 ms (a timer), so it is not done more often.
 */
const UNITS = 4_096;
/** Bytes that are worth one unit, where the work is to go through them. */
const UNIT_BYTES = 4_096;

/**
 * Counts work. Nothing that is ready lets the event loop look at what has come in meanwhile: a promise that is settled
 * does not, a call to an object of the same process does not either, and so a caller with much to do keeps all others
 * waiting. Only a timer does.
 *
 * It is work that is counted, and not time: the clock may stand still while a Worker computes, and a test can rely on it.
 */
export class Breath {
  readonly #units: number;
  readonly #pause: () => Promise<void>;
  #done = 0;

  constructor({ units = UNITS, pause = () => scheduler.wait(0) }: Partial<BreathOptions> = {}) {
    this.#units = units;
    this.#pause = pause;
  }

  /**
   * Says that so much is about to be done.
   * @returns what is to be waited for first; undefined if that is nothing, so that little work costs little:
   *   `const pause = breath.take(1); if (pause !== undefined) await pause;`
   */
  take(units: number): Promise<void> | undefined {
    this.#done += units;
    if (this.#done < this.#units) return undefined;
    this.#done = 0;
    return this.#pause();
  }

  /** As {@link take}, for going through so many bytes, or characters. */
  takeBytes(bytes: number): Promise<void> | undefined {
    return this.take(1 + Math.floor(bytes / UNIT_BYTES));
  }
}

export interface BreathOptions {
  /** Between two breaths. */
  readonly units: number;
  /** Lets others in. */
  readonly pause: () => Promise<void>;
}

/** All that one thread does; the objects of a local server share it with the Worker. */
export const breath = new Breath();
