/** Serialisation per key, for handlers that await. */

/**
 * Runs tasks of one key one after the other, in the order in which they came; tasks of different keys
 * run side by side. A process that awaits anything but its storage lets the next message in: this is what
 * keeps two messages about the *same* thing apart without stopping those about others.
 *
 * A task that throws rejects for its own caller only. A key costs memory only while it has a task.
 */
export class Serial<Key> {
  readonly #tails = new Map<Key, Promise<unknown>>();

  run<T>(key: Key, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const result = before === undefined ? task() : before.then(task, task);
    this.#tails.set(key, result);
    const forget = (): void => {
      // Only the last task of a key may forget it: a later one has put its own tail there.
      if (this.#tails.get(key) === result) this.#tails.delete(key);
    };
    result.then(forget, forget);
    return result;
  }

  /** Whether a task of this key has not ended. */
  has(key: Key): boolean {
    return this.#tails.has(key);
  }
}
