/** The feeds of changes that SUBSCRIBE has opened on one connection. */

import { errorLine } from "../text/replies.ts";
import { Acks } from "../lib/flow-window.ts";
import { failure } from "../model/errors.ts";

/** Sends text to the connection. False if the client reads too slowly to be sent more. */
export type Offer = (text: string) => boolean;

export class Feeds {
  readonly #open = new Map<string, WebSocket>();
  readonly #offer: Offer;
  readonly #tooSlow: () => void;
  #closed = false;

  /** `tooSlow` is called once the client can't be sent any more: the connection should end. */
  constructor(offer: Offer, tooSlow: () => void) {
    this.#offer = offer;
    this.#tooSlow = tooSlow;
  }

  add(bucket: string, feed: WebSocket): void {
    feed.accept();
    // Subscribing twice is subscribing once.
    if (this.#closed || this.#open.has(bucket)) {
      feed.close();
      return;
    }
    this.#open.set(bucket, feed);
    const acks = new Acks();
    feed.addEventListener("message", ({ data }) => {
      if (this.#closed || typeof data !== "string") return;
      if (!this.#offer(data)) {
        this.#tooSlow();
        return;
      }
      // The bucket cuts off a feed that does not acknowledge.
      const ack = acks.read(data.length);
      if (ack !== undefined) feed.send(ack);
    });
    feed.addEventListener("close", () => this.#lost(bucket));
    feed.addEventListener("error", () => this.#lost(bucket));
  }

  closeAll(): void {
    this.#closed = true;
    for (const feed of this.#open.values()) feed.close();
    this.#open.clear();
  }

  /** A subscriber that waits must not wait for ever: it hears that nothing more will come. */
  #lost(bucket: string): void {
    if (this.#closed || !this.#open.delete(bucket)) return;
    this.#offer(
      errorLine(
        failure("subscription_lost", `The feed of ${bucket} has ended: look it up, and subscribe again.`),
      ),
    );
  }
}
