/** The feeds of changes that SUBSCRIBE opened on one connection. */

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

  /** @param tooSlow called when the client reads too slowly to be sent more; it should close the connection */
  constructor(offer: Offer, tooSlow: () => void) {
    this.#offer = offer;
    this.#tooSlow = tooSlow;
  }

  add(bucket: string, feed: WebSocket): void {
    feed.accept();
    // A second SUBSCRIBE to the same bucket changes nothing.
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
      // The bucket drops a feed that does not ack.
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

  /** Tells the client that the feed has ended, so that it does not wait forever. */
  #lost(bucket: string): void {
    if (this.#closed || !this.#open.delete(bucket)) return;
    this.#offer(
      errorLine(
        failure(
          "subscription_lost",
          `The feed of ${bucket} has ended. Look the bucket up, and subscribe again.`,
        ),
      ),
    );
  }
}
