/**
 * A TCP proxy with a fixed port in front of a server whose port changes. It spoils the connections that go through it, as a
 * bad network does.
 */

import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** What is done to connections. */
export const NETWORK_FAULTS = [
  /** Both sides are closed. */
  "cut",
  /** The client gets a reset. */
  "reset",
  /** The client's side is closed for writing, as far as the server sees. */
  "half-close",
  /** What the server sends is held back for a while. */
  "delay",
  /** The next answer is thrown away, and the connection closed: the request was carried out. */
  "cut after the request",
] as const;

export type NetworkFault = (typeof NETWORK_FAULTS)[number];

/** Milliseconds for which answers are held back. */
const DELAY_MS = 300;

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  cutsAtAnswer: boolean;
}

export class Proxy {
  readonly #listener: Server;
  readonly #pairs = new Set<Pair>();
  /** The server's port; undefined while it is down. */
  target: number | undefined;

  private constructor(listener: Server) {
    this.#listener = listener;
    listener.on("connection", (client) => this.#accept(client));
  }

  static async start(): Promise<Proxy> {
    const listener = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve) => {
      listener.listen(0, "127.0.0.1", resolve);
    });
    return new Proxy(listener);
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /** Spoils the open connections that are chosen. @returns how many */
  spoil(fault: NetworkFault, isChosen: () => boolean): number {
    const chosen = [...this.#pairs].filter(isChosen);
    for (const pair of chosen) this.#spoil(pair, fault);
    return chosen.length;
  }

  stop(): void {
    for (const pair of this.#pairs) this.#spoil(pair, "cut");
    this.#listener.close();
  }

  #accept(client: Socket): void {
    const { target } = this;
    client.on("error", () => client.destroy());
    if (target === undefined) return void client.destroy();
    const server = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    const pair: Pair = { client, server, cutsAtAnswer: false };
    this.#pairs.add(pair);
    server.on("error", () => client.destroy());
    server.on("data", (bytes) => {
      if (pair.cutsAtAnswer) return this.#spoil(pair, "cut");
      if (!client.write(bytes)) server.pause();
    });
    client.on("drain", () => server.resume());
    client.on("data", (bytes) => {
      if (!server.write(bytes)) client.pause();
    });
    server.on("drain", () => client.resume());
    server.on("end", () => client.end());
    client.on("end", () => server.end());
    const gone = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    client.on("close", gone);
    server.on("close", gone);
  }

  #spoil(pair: Pair, fault: NetworkFault): void {
    const { client, server } = pair;
    switch (fault) {
      case "cut":
        client.destroy();
        server.destroy();
        return;
      case "reset":
        client.resetAndDestroy();
        return;
      case "half-close":
        server.end();
        return;
      case "delay":
        server.pause();
        setTimeout(() => server.resume(), DELAY_MS);
        return;
      case "cut after the request":
        pair.cutsAtAnswer = true;
    }
  }
}
