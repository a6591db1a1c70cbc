/** Ids of objects that no longer have a name, kept until the server fetches them to remove their files. */

/** The most ids that are kept. Files of further objects are removed at the next start of the server. */
const MAX_IDS = 10_000;

/** Shared by the registry's objects and the control socket: on one machine they run in one isolate. */
export class FreedIds {
  #ids: string[] = [];

  add(id: string): void {
    if (this.#ids.length < MAX_IDS) this.#ids.push(id);
  }

  /** The ids that were added since the last call. */
  take(): readonly string[] {
    const ids = this.#ids;
    this.#ids = [];
    return ids;
  }
}
