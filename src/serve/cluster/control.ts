/** The private Unix socket of the process that runs nodes: `durable-kv cluster drain` asks it to stop one. */

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAX_SOCKET_PATH } from "../control.ts";
import type { ClusterNode } from "./node.ts";

export interface NodeControl {
  readonly socket: string;
  close(): void;
}

/** @param nodes those that still run; called for each request */
export async function serveControl(nodes: () => readonly ClusterNode[]): Promise<NodeControl> {
  const long = join(tmpdir(), "durable-kv-XXXXXX", "nodes").length > MAX_SOCKET_PATH;
  // Readable by this user only, as mkdtemp makes it.
  const folder = mkdtempSync(join(long ? "/tmp" : tmpdir(), "durable-kv-"));
  const socket = join(folder, "nodes");
  const server = createServer((asked, response) => {
    const [, number] = /^\/drain\/(\d+)$/.exec(asked.url ?? "") ?? [];
    const node = nodes().find((each) => each.number === Number(number));
    if (asked.method !== "POST" || node === undefined) {
      response.writeHead(404).end();
      return;
    }
    void node.stop().then(() => response.writeHead(204).end());
  });
  server.listen(socket);
  await once(server, "listening");
  server.unref();
  return {
    socket,
    close() {
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Asks a process to drain one of its nodes. @returns when that is done; false if it has no such node, or none at all */
export function askToDrainNode(socketPath: string, number: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: `/drain/${number}`, method: "POST" }, (response) => {
      response.resume();
      resolve(response.statusCode === 204);
    });
    asked.once("error", () => resolve(false));
    asked.end();
  });
}
