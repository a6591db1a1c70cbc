/** Requests as they are: no path is tidied up, no header added, as `fetch` would do. */

import { Agent, request as open } from "node:http";

export interface Sent {
  readonly method: string;
  /** As it goes over the wire, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  /** Whether the body's length is not said beforehand. */
  readonly chunked?: boolean;
}

export interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** Its body goes on, and was not read. */
  readonly stream: boolean;
}

const STREAM = "text/event-stream";
/** After this long without an answer the server hangs, in milliseconds. */
const PATIENCE_MS = 20_000;

/** A client that keeps its connections. */
export class RawClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  readonly #http: string;

  constructor(http: string) {
    this.#http = http;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** @throws {Error} if no answer comes */
  send({ method, path, headers, body, chunked = false }: Sent): Promise<Got> {
    const { hostname, port } = new URL(this.#http);
    const length = body === undefined ? {} : lengthOf(body, chunked);
    return new Promise((resolve, reject) => {
      const outgoing = open({
        hostname,
        port,
        method,
        path,
        agent: this.#agent,
        headers: { ...headers, ...length },
        timeout: PATIENCE_MS,
      });
      outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer in ${PATIENCE_MS} ms`)));
      outgoing.on("error", reject);
      outgoing.on("response", (incoming) => {
        const head = { status: incoming.statusCode ?? 0, headers: oneOfEach(incoming.headersDistinct) };
        if ((head.headers["content-type"] ?? "").startsWith(STREAM)) {
          resolve({ ...head, body: Buffer.alloc(0), stream: true });
          outgoing.destroy();
          return;
        }
        const pieces: Buffer[] = [];
        incoming.on("data", (piece: Buffer) => pieces.push(piece));
        incoming.on("end", () => resolve({ ...head, body: Buffer.concat(pieces), stream: false }));
        incoming.on("error", reject);
      });
      if (body !== undefined) outgoing.write(body);
      outgoing.end();
    });
  }
}

/** Said for every method: without it Node sends the body of a DELETE as if it were the next request. */
function lengthOf(body: Buffer, chunked: boolean): Record<string, string> {
  return chunked ? { "Transfer-Encoding": "chunked" } : { "Content-Length": String(body.length) };
}

function oneOfEach(headers: NodeJS.Dict<string[]>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, values = []]) => [name, values.join(", ")]));
}

/** A request, short enough to read, and complete enough to send again. */
export function shownRequest({ method, path, headers, body, chunked }: Sent): string {
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const text = body === undefined ? [] : [JSON.stringify(shorten(body.toString("latin1")))];
  return [`${method} ${shorten(path)}`, ...head, ...text, ...(chunked === true ? ["(chunked)"] : [])].join(
    "  ",
  );
}

/** An answer, short enough to read. */
export function shownAnswer({ status, body, headers, stream }: Got): string {
  const type = headers["content-type"] ?? "no type";
  return `${status} ${type} ${stream ? "(a stream)" : JSON.stringify(shorten(body.toString("latin1")))}`;
}

function shorten(text: string): string {
  return text.length <= 400 ? text : `${text.slice(0, 300)}…(${text.length})…${text.slice(-50)}`;
}
