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

/** What an object holds. */
interface Holder {
  /** Sockets that it knows of. */
  open: number;
  /** Sockets that are over for it, and not yet for the engine. */
  broken: number;
}

/** Calls back when nothing leads to an object any more. */
export type WhenCollected = (object: object, gone: () => void) => void;

function whenCollected(): WhenCollected {
  const registry = new FinalizationRegistry((gone: () => void) => gone());
  return (object, gone) => registry.register(object, gone);
}

/** Share of the places that is open to connections which have not logged in. */
const STRANGERS = 1 / 4;
/** Share of the places that the broken sockets of one object may hold, and how many they may be in any case. */
const BROKEN = 1 / 8;
const FEW_BROKEN = 8;
/** Share of the places from which on no object may hold any for sockets that broke. */
const CROWDED = 7 / 8;

/**
 * All such connections of the isolate. Plain data, so requests may share it: what belongs to a request is only called
 * in it, by way of a promise that the request itself made (the platform continues those where they are from).
 */
export class Connections {
  #limit = Infinity;
  readonly #goodbyes = new Set<() => void>();
  #strangers = 0;
  /** Sockets that objects hold themselves, by the object's id: they outlast what the object has in memory. */
  readonly #held = new Map<string, Holder>();
  #heldTotal = 0;
  readonly #whenCollected: WhenCollected;

  constructor(collected = whenCollected()) {
    this.#whenCollected = collected;
  }

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

  /** An object has been made: it has these sockets, and the engine has ended all others that the one before it had. */
  wake(id: string, count: number): void {
    const before = this.#held.get(id);
    if (before !== undefined) this.#count(id, before, { open: 0, broken: 0 });
    this.#held.delete(id);
    this.hold(id, count);
  }

  /** An object has taken a socket, or one of its sockets is gone. */
  holdMore(id: string, difference: 1 | -1): void {
    this.hold(id, Math.max(0, (this.#held.get(id)?.open ?? 0) + difference));
  }

  /** Sets how many sockets an object holds. It recounts when it wakes: a reset reports no closes. */
  hold(id: string, count: number): void {
    const holder = this.#held.get(id) ?? { open: 0, broken: 0 };
    this.#count(id, holder, { open: count });
  }

  /**
   * A socket of an object is over by a fault of the other side's, such as a frame that is none. The engine has said so to
   * it, but keeps the connection until the socket has been collected (workerd, sockets with hibernation): so does its
   * place, or the engine would run out of files.
   */
  breakOff(id: string, socket: object): void {
    const holder = this.#held.get(id) ?? { open: 0, broken: 0 };
    this.#count(id, holder, { open: Math.max(0, holder.open - 1), broken: holder.broken + 1 });
    this.#whenCollected(socket, () => {
      // The object may have been made anew: what that holds was counted by itself.
      if (this.#held.get(id) === holder) this.#count(id, holder, { broken: holder.broken - 1 });
    });
  }

  /**
   * Whether the sockets of an object that broke hold too much: to be renewed is what frees them, and also ends those of its
   * sockets that are well.
   */
  isClogged(id: string): boolean {
    const broken = this.#held.get(id)?.broken ?? 0;
    if (broken >= Math.max(FEW_BROKEN, this.#limit * BROKEN)) return true;
    return broken > 0 && this.#goodbyes.size + this.#heldTotal >= this.#limit * CROWDED;
  }

  #count(id: string, holder: Holder, change: Partial<Holder>): void {
    this.#heldTotal -= holder.open + holder.broken;
    Object.assign(holder, change);
    this.#heldTotal += holder.open + holder.broken;
    if (holder.open + holder.broken === 0) this.#held.delete(id);
    else this.#held.set(id, holder);
  }

  /** Tells all those that are the Worker's own. */
  sayGoodbye(): void {
    for (const tell of this.#goodbyes) tell();
    this.#goodbyes.clear();
  }
}

/** Those of this isolate, whose objects are its too where a server is local. */
export const connections = new Connections();
