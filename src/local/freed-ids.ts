/** Ids of objects that no name leads to any more, until the server asks for them. */

/** More are not kept: their files are removed when the server is started again. */
const MAX_IDS = 10_000;

/** The registry's objects and the private socket share it: on one machine they are of one isolate. */
export class FreedIds {
  #ids: string[] = [];

  add(id: string): void {
    if (this.#ids.length < MAX_IDS) this.#ids.push(id);
  }

  /** Those that were added since this was asked last. */
  take(): readonly string[] {
    const ids = this.#ids;
    this.#ids = [];
    return ids;
  }
}
