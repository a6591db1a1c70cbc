/** One task at a time for each key, for handlers that await. */

/**
 * Runs the tasks of one key one after the other, in their order; tasks of different keys run concurrently. A process
 * that awaits anything but its storage lets the next message in: this keeps two messages about the *same* thing apart,
 * and does not delay messages about others.
 *
 * A task that throws rejects for its own caller only. A key takes memory only while it has a task.
 */
export class Serial<Key> {
  readonly #tails = new Map<Key, Promise<unknown>>();

  run<T>(key: Key, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const result = before === undefined ? task() : before.then(task, task);
    this.#tails.set(key, result);
    const forget = (): void => {
      // Only the last task of a key removes it: a later one has put its own promise there.
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
