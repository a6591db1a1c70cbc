/** What is known of a node at any moment, for its readiness, its figures and the status of the cluster. */

import type { Engine } from "../engine.ts";

export class NodeState {
  #engine: Engine | undefined;
  #peerAddress: string | undefined;
  #draining = false;
  #starts = 0;

  /** An engine serves at this address for other nodes. */
  up(engine: Engine, peerAddress: string): void {
    this.#engine = engine;
    this.#peerAddress = peerAddress;
    this.#starts += 1;
    const ended = (): void => {
      if (this.#engine === engine) this.#engine = undefined;
    };
    void engine.ended.then(ended);
  }

  down(): void {
    this.#engine = undefined;
  }

  /** It will not serve any more. */
  draining(): void {
    this.#draining = true;
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** Whether an engine runs. */
  get serves(): boolean {
    return this.#engine !== undefined;
  }

  /** `host:port` of the last engine for other nodes. */
  get peerAddress(): string | undefined {
    return this.#peerAddress;
  }

  get enginePid(): number | undefined {
    return this.#engine?.pid;
  }

  /** How often an engine was started again. */
  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }
}
