/**
 * Yields to the event loop in the middle of long work, so that other callers are served.
 *
 * The loop takes new input only when nothing is ready any more. Settled promises, calls to an object of the same process
 * and messages that have been read are ready, one after the other, so one caller with much to do can keep all others
 * waiting. Only a timer lets them in, and it costs a millisecond. So work is counted in units since the loop last took
 * input, and after so many units the caller waits for a timer. If the loop takes input by itself, as between small
 * requests, the count starts again and nothing is paid.
 *
 * Units of work are counted and not time: the clock may stand still while a Worker computes, and tests can rely on counts.
 */

/**
 * Units of work between two pauses. One unit is about the cost of a small command, 9 µs, so these are about 5 ms: another
 * caller's request needs several turns of the loop until it is answered.
 */
const UNITS = 512;

/** Whether the loop takes input by itself is watched once this part of the {@link UNITS} has been done. */
const WATCHED = 4;

/** Units of a WebSocket message beside its content: it is an event of its own. */
export const MESSAGE_UNITS = 4;
/** Units of a call to an object beside its work there. */
export const CALL_UNITS = 32;
/** Bytes of one unit, if the work is to scan them. */
const UNIT_BYTES = 4_096;
/** Characters of one unit, if JSON is parsed or written. */
const UNIT_JSON = 512;

export interface BreathOptions {
  /** Units between two pauses. */
  readonly units: number;
  /** Lets other callers in; takes at least a millisecond. */
  readonly pause: () => Promise<void>;
  /** Calls back when the event loop has taken new input. */
  readonly looked: (tell: () => void) => void;
}

/** Counts units of work since the event loop last took new input. */
export class Breath {
  readonly #options: BreathOptions;
  #done = 0;
  /** Whether a timer is set that fires when the loop has taken new input. */
  #watching = false;

  constructor(options: Partial<BreathOptions> = {}) {
    this.#options = {
      units: UNITS,
      pause: () => scheduler.wait(0),
      looked: (tell) => void setTimeout(tell, 0),
      ...options,
    };
  }

  /**
   * Counts work that is about to be done.
   * @returns a pause to wait for first; undefined if none is due, so that little work costs little:
   *   `const pause = breath.take(1); if (pause !== undefined) await pause;`
   */
  take(units: number): Promise<void> | undefined {
    return this.isDue(units) ? this.pause() : undefined;
  }

  /** As {@link take}, for a caller that begins the {@link pause} itself. @returns whether a pause is due */
  isDue(units: number): boolean {
    this.#done += units;
    if (this.#done >= this.#options.units) {
      this.#done = 0;
      // The request of that timer may have ended, and the timer with it. The pause lets new input in as well.
      this.#watching = false;
      return true;
    }
    // Not for little work: the timer costs more than a small command. Its units are counted all the same.
    if (!this.#watching && this.#done * WATCHED >= this.#options.units) {
      this.#watching = true;
      this.#options.looked(() => {
        this.#watching = false;
        this.#done = 0;
      });
    }
    return false;
  }

  /** Lets other callers in. */
  pause(): Promise<void> {
    return this.#options.pause();
  }

  /** As {@link take}, for scanning so many bytes or characters, and for `units` beside that. */
  takeBytes(bytes: number, units = 1): Promise<void> | undefined {
    return this.take(units + Math.floor(bytes / UNIT_BYTES));
  }

  /** As {@link take}, for parsing or writing so many characters of JSON. */
  takeJson(characters: number): Promise<void> | undefined {
    return this.take(1 + Math.floor(characters / UNIT_JSON));
  }
}

/** The work of this thread; on a local server, objects and Worker share one. */
export const breath = new Breath();
