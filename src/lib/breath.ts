/** Yields to the event loop in the middle of long work, so that other callers are served. */

/**
 * Units of work between two breaths. One is about what a small command costs, 9 µs, so these are some 5 ms: what a
 * neighbour asks for has to come to its turn several times until it is answered.
 */
const UNITS = 512;

/** What a message on a WebSocket is worth beside what is in it: an event of its own. */
export const MESSAGE_UNITS = 4;
/** What a call to an object is worth beside what it does there. */
export const CALL_UNITS = 32;
/** Bytes that are worth one unit, where the work is to go through them. */
const UNIT_BYTES = 4_096;
/** And where they are made into values, or made of them. */
const UNIT_JSON = 512;

export interface BreathOptions {
  /** Units between two breaths. */
  readonly units: number;
  /** Lets others in; takes a millisecond at least. */
  readonly pause: () => Promise<void>;
  /** Calls back when the event loop has looked at what has come in. */
  readonly looked: (tell: () => void) => void;
}

/**
 * Counts the work that has been done since the event loop last looked at what has come in. It looks when nothing is ready
 * any more: settled promises, calls to an object of the same process and messages that have been read already are ready,
 * one after the other, so that a caller with much to do keeps all others waiting. Then only a timer helps, and it costs a
 * millisecond. Where the loop looks by itself, as between small requests, there is nothing to pay.
 *
 * It is work that is counted, and not time: the clock may stand still while a Worker computes, and a test can rely on it.
 */
export class Breath {
  readonly #options: BreathOptions;
  #done = 0;
  /** Whether a timer will tell that the loop has looked. */
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
   * Says that so much is about to be done.
   * @returns what is to be waited for first; undefined if that is nothing, so that little work costs little:
   *   `const pause = breath.take(1); if (pause !== undefined) await pause;`
   */
  take(units: number): Promise<void> | undefined {
    return this.isDue(units) ? this.pause() : undefined;
  }

  /** As {@link take}, for a caller that has to begin the {@link pause} elsewhere. @returns whether it has to */
  isDue(units: number): boolean {
    this.#done += units;
    if (this.#done >= this.#options.units) {
      this.#done = 0;
      // The timer's request may have ended, and the timer with it: the pause is as good a look.
      this.#watching = false;
      return true;
    }
    if (!this.#watching) {
      this.#watching = true;
      this.#options.looked(() => {
        this.#watching = false;
        this.#done = 0;
      });
    }
    return false;
  }

  /** Lets others in. */
  pause(): Promise<void> {
    return this.#options.pause();
  }

  /** As {@link take}, for going through so many bytes, or characters, and so many units beside that. */
  takeBytes(bytes: number, units = 1): Promise<void> | undefined {
    return this.take(units + Math.floor(bytes / UNIT_BYTES));
  }

  /** As {@link take}, for so many characters of JSON that are read or written. */
  takeJson(characters: number): Promise<void> | undefined {
    return this.take(1 + Math.floor(characters / UNIT_JSON));
  }
}

/** All that one thread does; the objects of a local server share it with the Worker. */
export const breath = new Breath();
