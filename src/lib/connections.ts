/** Connections that outlast a request: counted, so that the engine's files do not run out, and told when it is to end. */

export interface Place {
  /** The connection has shown the token. */
  admit(): void;
  /** The connection has ended. Safe to call more than once. */
  leave(): void;
}

/** The tag of an object's sockets that lead out of the process: they take a place. */
export const OUTSIDE = "outside";

export interface EnterOptions {
  /** Whether it has yet to show the token. */
  readonly stranger?: boolean;
  /** Called once, in the connection's own request, when the server is about to end. */
  readonly goodbye: () => void;
}

/** Share of the places that is open to connections which have not logged in. */
const STRANGERS = 1 / 4;

/**
 * All such connections of the isolate. Plain data, so requests may share it: what belongs to a request is only called
 * in it, by way of a promise that the request itself made (the platform continues those where they are from).
 */
export class Connections {
  #limit = Infinity;
  readonly #goodbyes = new Set<() => void>();
  #strangers = 0;
  /** Sockets that objects hold themselves, by the object's id: they outlast what the object has in memory. */
  readonly #held = new Map<string, number>();
  #heldTotal = 0;

  /** How many there may be. */
  set limit(limit: number) {
    this.#limit = limit;
  }

  get full(): boolean {
    return this.#goodbyes.size + this.#heldTotal >= this.#limit;
  }

  /** Objects that hold sockets. */
  get holders(): string[] {
    return [...this.#held.keys()];
  }

  /** @returns undefined if there are too many: then the connection is to be turned away. */
  enter({ stranger = false, goodbye }: EnterOptions): Place | undefined {
    if (this.full || (stranger && this.#strangers >= this.#limit * STRANGERS)) return undefined;
    const told = Promise.withResolvers<"go" | "gone">();
    void told.promise.then((what) => (what === "go" ? goodbye() : undefined));
    const tell = (): void => told.resolve("go");
    this.#goodbyes.add(tell);
    if (stranger) this.#strangers += 1;
    let isStranger = stranger;
    const admit = (): void => {
      if (isStranger) this.#strangers -= 1;
      isStranger = false;
    };
    const leave = (): void => {
      admit();
      this.#goodbyes.delete(tell);
      told.resolve("gone");
    };
    return { admit, leave };
  }

  /** An object has taken a socket, or one of its sockets is gone. */
  holdMore(id: string, difference: 1 | -1): void {
    this.hold(id, Math.max(0, (this.#held.get(id) ?? 0) + difference));
  }

  /** Sets how many sockets an object holds. It recounts when it wakes: a reset reports no closes. */
  hold(id: string, count: number): void {
    this.#heldTotal += count - (this.#held.get(id) ?? 0);
    if (count === 0) this.#held.delete(id);
    else this.#held.set(id, count);
  }

  /** Tells all those that are the Worker's own. */
  sayGoodbye(): void {
    for (const tell of this.#goodbyes) tell();
    this.#goodbyes.clear();
  }
}

/** Those of this isolate, whose objects are its too where a server is local. */
export const connections = new Connections();
