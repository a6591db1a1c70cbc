/** A proxy that refuses larger bodies, as nginx does with `client_max_body_size`. */

import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { server as shared } from "./shared-server.ts";

const PAGE = "<html><head><title>413 Request Entity Too Large</title></head></html>";

/** A proxy in front of the shared server. @param limit the most bytes of a body */
export async function startLimited(limit: number): Promise<{ readonly url: string; close(): void }> {
  const proxy = createServer((incoming, outgoing) => {
    const pieces: Buffer[] = [];
    let size = 0;
    incoming.on("data", (piece: Buffer) => {
      size += piece.byteLength;
      // Read to the end, as nginx does for a while, so that the client gets to read the answer.
      if (size <= limit) pieces.push(piece);
    });
    incoming.on("end", () => {
      if (size > limit) outgoing.writeHead(413, { "Content-Type": "text/html" }).end(PAGE);
      else forward(incoming, outgoing, Buffer.concat(pieces));
    });
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    close: () => {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer): void {
  const { "transfer-encoding": _, ...headers } = incoming.headers;
  const { method = "GET", url = "" } = incoming;
  const forwarded = request(new URL(url, shared.http), { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
    answer.pipe(outgoing);
  });
  forwarded.on("error", () => outgoing.destroy());
  forwarded.end(body);
}
