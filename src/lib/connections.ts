/**
 * Connections that outlive a request: counted, so that the engine does not run out of files, and told when the server ends.
 *
 * Connections of the Worker take a place in `enter` and give it back in `leave`. Sockets of objects are counted by the
 * object's id: an object sets its count when it wakes and after each change, since a reset reports no closes. A socket that
 * broke by the client's fault is closed for its object, but the engine keeps its connection until the socket is garbage
 * collected (workerd, sockets with hibernation), so it keeps its place until then. An object with too many of them has to
 * be renewed.
 */

export interface Place {
  /** The client has shown the token. */
  admit(): void;
  /** The connection has ended. Safe to call more than once. */
  leave(): void;
}

/** The tag of an object's sockets whose client is outside of this process: they take a place. */
export const OUTSIDE = "outside";

export interface EnterOptions {
  /** Whether the client has not shown the token yet. */
  readonly stranger?: boolean;
  /** Called once, in the connection's own request, when the server is about to end. */
  readonly goodbye: () => void;
}

/** The places of one object. */
interface Holder {
  /** Sockets that are open. */
  open: number;
  /** Sockets that broke, and whose connection the engine still has. */
  broken: number;
}

/** Calls back when a JavaScript object was garbage collected. */
export type WhenCollected = (object: object, gone: () => void) => void;

function whenCollected(): WhenCollected {
  const registry = new FinalizationRegistry((gone: () => void) => gone());
  return (object, gone) => registry.register(object, gone);
}

/** Share of the places for connections that have not shown the token. */
const STRANGERS = 1 / 4;
/** Share of the places that broken sockets of one object may take, and a count that they may take in any case. */
const BROKEN = 1 / 8;
const FEW_BROKEN = 8;
/** If more than this share of all places is taken, no object may have broken sockets. */
const CROWDED = 7 / 8;

/**
 * All such connections of the isolate. Requests may share it: what belongs to a request is only called in that request,
 * through a promise that it made itself (the platform continues a promise in the request that made it).
 */
export class Connections {
  #limit = Infinity;
  readonly #goodbyes = new Set<() => void>();
  #strangers = 0;
  /** Places of objects, by the object's id: sockets outlive the object's memory. */
  readonly #held = new Map<string, Holder>();
  #heldTotal = 0;
  readonly #whenCollected: WhenCollected;

  constructor(collected = whenCollected()) {
    this.#whenCollected = collected;
  }

  /** How many places there are. */
  set limit(limit: number) {
    this.#limit = limit;
  }

  get full(): boolean {
    return this.#goodbyes.size + this.#heldTotal >= this.#limit;
  }

  /** Ids of the objects that have places. */
  get holders(): string[] {
    return [...this.#held.keys()];
  }

  /** @returns undefined if no place is free: the connection has to be refused */
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

  /** An object was constructed, with this many sockets. All others that it had before are closed. */
  wake(id: string, count: number): void {
    const before = this.#held.get(id);
    if (before !== undefined) this.#count(id, before, { open: 0, broken: 0 });
    this.#held.delete(id);
    this.hold(id, count);
  }

  /** An object has accepted a socket, or one of its sockets has closed. */
  holdMore(id: string, difference: 1 | -1): void {
    this.hold(id, Math.max(0, (this.#held.get(id)?.open ?? 0) + difference));
  }

  /** Sets how many open sockets an object has. */
  hold(id: string, count: number): void {
    const holder = this.#held.get(id) ?? { open: 0, broken: 0 };
    this.#count(id, holder, { open: count });
  }

  /**
   * A socket of an object broke by the client's fault, as by bytes that are no WebSocket frame. Its place is free when the
   * socket was garbage collected: until then the engine has its connection.
   */
  breakOff(id: string, socket: object): void {
    const holder = this.#held.get(id) ?? { open: 0, broken: 0 };
    this.#count(id, holder, { open: Math.max(0, holder.open - 1), broken: holder.broken + 1 });
    this.#whenCollected(socket, () => {
      // If the object was constructed again, it has counted its sockets itself.
      if (this.#held.get(id) === holder) this.#count(id, holder, { broken: holder.broken - 1 });
    });
  }

  /**
   * Whether the broken sockets of an object take too many places. To renew the object frees them, and closes its other
   * sockets too.
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

  /** Tells all connections of the Worker that the server is about to end. */
  sayGoodbye(): void {
    for (const tell of this.#goodbyes) tell();
    this.#goodbyes.clear();
  }
}

/** The connections of this isolate; on a local server, also those of its objects. */
export const connections = new Connections();
