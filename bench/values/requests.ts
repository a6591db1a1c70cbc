/** HTTP requests, sequential on each of several connections, for a fixed time. */

import { isWholeResponse, rawClient } from "../load/client.ts";
import { measure, type Load } from "../load/measure.ts";
import type { Server } from "../servers.ts";
import { BUCKET, makeBucket, type Bench, type Prepared } from "./bench.ts";

export interface Asked {
  readonly name: string;
  readonly unit: string;
  readonly connections: number;
  /** Units per request. */
  readonly count?: number;
  readonly method: "GET" | "POST";
  /** Path after the bucket's path. */
  readonly path: Readonly<Record<Server["name"], string>>;
  /** Creates a new body for each request. ASCII only. */
  readonly body?: (name: Server["name"]) => string;
  /** Text in a successful response of ours, if the status 200 is not enough. */
  readonly says?: string;
  /** Stores the data that the requests need. */
  readonly fill?: (server: Server) => Promise<void>;
}

export function requests(asked: Asked): Bench {
  return {
    name: `${asked.name}, ${asked.connections} connections`,
    bare: true,
    prepare: async (server) => {
      await makeBucket(server);
      await asked.fill?.(server);
      return prepared(server, asked);
    },
  };
}

/** Sends one request that is not measured. */
export async function ask(
  server: Server,
  path: string,
  { method, body = null }: { readonly method: string; readonly body?: string | null },
): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${server.http}${base(server)}${path}`, { method, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text;
}

function base({ name }: Server): string {
  return name === "ours" ? BUCKET : "/values";
}

function prepared(server: Server, { unit, connections, count = 1, says, ...asked }: Asked): Prepared {
  const head = `${asked.method} ${base(server)}${asked.path[server.name]} HTTP/1.1\r\nHost: localhost\r\n`;
  const request = (): string => {
    const text = asked.body?.(server.name) ?? "";
    return `${head}Content-Length: ${text.length}\r\n\r\n${text}`;
  };
  const isWhole = (reply: Buffer): boolean => {
    if (!isWholeResponse(reply)) return false;
    if (server.name === "ours" && says !== undefined && !reply.includes(says)) {
      throw new Error(`unexpected response: ${reply.toString()}`);
    }
    return true;
  };
  const load: Load = {
    batch: count,
    connections,
    connect: () => rawClient(server.http, request, isWhole),
  };
  return { measure: async (forMs) => ({ [unit]: (await measure(load, forMs)).rate }) };
}
