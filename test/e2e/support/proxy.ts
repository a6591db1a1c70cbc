/** A proxy that tells when an answer has begun: what is asked for after that is not too early. */

import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

export interface Proxy {
  readonly url: string;
  /** Waits until so many answers to a path have begun. */
  answered(path: string, times: number): Promise<void>;
  close(): void;
}

/** @param target where the service is, each time that it is asked for something */
export async function startProxy(target: () => string): Promise<Proxy> {
  const begun: string[] = [];
  let wake = (): void => undefined;
  const server = createServer((incoming, outgoing) => {
    const { url = "", method = "", headers } = incoming;
    const forwarded = request(new URL(url, target()), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 0, answer.headers).flushHeaders();
      answer.pipe(outgoing);
      // What breaks off on one side does so on the other.
      answer.on("error", () => outgoing.destroy());
      begun.push(url);
      wake();
    });
    forwarded.on("error", () => outgoing.destroy());
    outgoing.on("close", () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answered: async (path, times) => {
      while (begun.filter((url) => url === path).length < times)
        await new Promise<void>((resolve) => (wake = resolve));
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
