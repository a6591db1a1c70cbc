/** HTTP requests for the attacker and the neighbour. */

import { request, type Agent } from "node:http";

export interface Ask {
  readonly port: number;
  readonly token: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Without an agent, the request opens a connection of its own. */
  readonly agent?: Agent;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  /** The beginning of the body. */
  readonly text: string;
  /** Size of the whole body in bytes. */
  readonly bytes: number;
  /** Milliseconds until the whole body had arrived. */
  readonly ms: number;
}

/** Characters of a body to keep. */
const MAX_TEXT = 2_000;

/** Sends one request and reads the whole response. @throws if the connection fails, or the signal is aborted */
export function ask({ port, token, method, path, body, headers, agent, signal }: Ask): Promise<Answer> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        method,
        path,
        agent: agent ?? false,
        signal,
        headers: {
          ...headers,
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          ...(method === "GET" ? {} : { "Content-Length": String(Buffer.byteLength(body ?? "")) }),
        },
      },
      (response) => {
        let text = "";
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (text.length < MAX_TEXT) text += chunk.toString("utf8", 0, MAX_TEXT);
        });
        response.on("error", reject);
        response.on("end", () => {
          const ms = performance.now() - started;
          resolve({ status: response.statusCode ?? 0, text: text.slice(0, MAX_TEXT), bytes, ms });
        });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Summarises a response: its status, and its error code or the beginning of its body. */
export function brief({ status, text, bytes, ms }: Answer): string {
  const code = /"code":"(\w+)"/.exec(text)?.[1];
  const outcome = status >= 400 ? (code ?? text.slice(0, 80)) : `${bytes} bytes`;
  return `${status} ${outcome} in ${ms.toFixed(0)} ms`;
}
