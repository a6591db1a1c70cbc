/** The private Unix socket of the process that runs nodes: `durable-kv cluster drain` asks it to stop one. */

import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { socketFolder } from "../control.ts";
import { hasLeft } from "./leases.ts";
import type { ClusterNode } from "./node.ts";
import type { Store } from "./store.ts";

export interface NodeControl {
  readonly socket: string;
  close(): Promise<void>;
}

/** @param nodes those that still run; called for each request */
export async function serveControl(nodes: () => readonly ClusterNode[], store: Store): Promise<NodeControl> {
  const folder = await socketFolder("nodes");
  const socket = join(folder, "nodes");
  const pending = new Set<Promise<void>>();
  const server = createServer((asked, response) => {
    const [, number] = /^\/drain\/(\d+)$/.exec(asked.url ?? "") ?? [];
    const node = nodes().find((each) => each.number === Number(number));
    if (asked.method !== "POST" || node === undefined) {
      response.writeHead(404, { Connection: "close" }).end();
      return;
    }
    const told = (async () => {
      const left = await drain(node, store);
      await new Promise<void>((sent) =>
        response
          .once("close", sent)
          .writeHead(left ? 204 : 202, { Connection: "close" })
          .end(),
      );
    })();
    pending.add(told);
  });
  server.listen(socket);
  await once(server, "listening");
  server.unref();
  return {
    socket,
    async close() {
      // The process ends with its last node, and those who have drained it are still to be told.
      await Promise.allSettled(pending);
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** @returns whether the node has left in order: an engine that was killed, or can't reach the store, still holds its lease */
async function drain(node: ClusterNode, store: Store): Promise<boolean> {
  await node.stop();
  const { peerAddress } = node.state;
  return peerAddress !== undefined && (await hasLeft(store, peerAddress, Date.now()).catch(() => false));
}

/** What has become of a node that was to be drained; `unknown`: there is no such node, or no process. */
export type Drained = "handed over" | "stopped only" | "unknown";

/** Asks a process to drain one of its nodes. @returns when that is done */
export function askToDrainNode(socketPath: string, number: number): Promise<Drained> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: `/drain/${number}`, method: "POST" }, (response) => {
      response.resume();
      const { statusCode } = response;
      resolve(statusCode === 204 ? "handed over" : statusCode === 202 ? "stopped only" : "unknown");
    });
    asked.once("error", () => resolve("unknown"));
    asked.end();
  });
}
