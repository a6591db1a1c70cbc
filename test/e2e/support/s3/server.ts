/** A small S3 server for tests: one process, in memory, with latency and faults. It keeps what S3 promises of conditional writes. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Objects, type Conditions } from "./objects.ts";
import { deletedXml, errorXml, keysToDelete, listXml } from "./xml.ts";

/** What is wrong with the store. */
export type S3Fault =
  /** Connections are closed without an answer, as when the network is cut. */
  | "away"
  /** Every request gets 500. */
  | "failing"
  /** Requests are asked to slow down: 503. */
  | "slow down"
  /** Writes get 507; reads and deletions work. */
  | "full"
  /** Conditions of writes are ignored, as by stores that do not have them. */
  | "unconditional"
  /** A write looks whether it may, and is done later: of several at once, all are told that they have won. */
  | "two steps"
  /** Likewise, but only writes with If-Match. */
  | "two steps to match"
  /** Every other write gets 429, as where a key may be written only so often. */
  | "busy"
  /** No ETag matches, not even the object's own. */
  | "no match";

export interface S3Request {
  readonly method: string;
  /** Of the object; the prefix of a list. */
  readonly key: string;
  readonly kind: "get" | "put" | "delete" | "list";
  readonly status: number;
}

interface Answer {
  readonly status: number;
  readonly body?: Buffer | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Credentials of the stand-in. A request with another access key gets 403; signatures are not checked. */
export const S3_KEYS: { readonly accessKeyId: string; readonly secretAccessKey: string } = {
  accessKeyId: "tests",
  secretAccessKey: "tests-only-secret",
};
export const S3_BUCKET = "kv";

const MAX_PAGE = 1_000;

export class S3Server {
  readonly #server: Server;
  readonly objects = new Objects();
  readonly #fault = new Set<S3Fault>();
  #writes = 0;
  readonly #watchers = new Set<(request: S3Request) => void>();
  /** How often each kind of request was answered, by kind and status: `put 200`. */
  readonly counts = new Map<string, number>();
  /** Milliseconds before each answer. */
  latencyMs = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => void this.#serve(request, response));
  }

  /** Starts it on a free port of this machine. */
  static async start(): Promise<S3Server> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return new S3Server(server);
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The number of requests that were answered. */
  get requests(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Begins a fault, which lasts until {@link mend}. */
  spoil(fault: S3Fault): void {
    this.#fault.add(fault);
    if (fault === "away") this.#server.closeAllConnections();
  }

  /** Ends all faults. */
  mend(): void {
    this.#fault.clear();
  }

  /** Tells of each request, when it was answered, or refused by a fault. */
  watch(watcher: (request: S3Request) => void): void {
    this.#watchers.add(watcher);
  }

  /** Resolves with the next request that fits, when it was answered, or refused by a fault. */
  next(fits: (request: S3Request) => boolean): Promise<S3Request> {
    return new Promise((resolve) => {
      const watcher = (request: S3Request): void => {
        if (!fits(request)) return;
        this.#watchers.delete(watcher);
        resolve(request);
      };
      this.#watchers.add(watcher);
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? "";
    const url = new URL(request.url ?? "/", "http://s3");
    const [, bucket = "", ...rest] = url.pathname.split("/");
    const key = decodeURIComponent(rest.join("/"));
    const kind = kindOf(method, url);
    const seen = (status: number): void => {
      const name = `${kind} ${status}`;
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      const told = { method, key: key === "" ? (url.searchParams.get("prefix") ?? "") : key, kind, status };
      for (const watcher of this.#watchers) watcher(told);
    };
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      if (this.latencyMs > 0) await pause(this.latencyMs);
      if (this.#fault.has("away")) {
        request.socket.destroy();
        return seen(0);
      }
      const {
        status,
        body,
        headers = {},
      } = this.#refusal(request, bucket, kind) ?? this.#answer(request, url, key, Buffer.concat(chunks));
      const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
      response.writeHead(status, { ...length, ...headers });
      response.end(method === "HEAD" ? undefined : body);
      seen(status);
    } catch {
      // The client has gone, as it does when it is killed.
      response.destroy();
    }
  }

  #conditions(key: string, headers: IncomingMessage["headers"]): Conditions {
    if (this.#fault.has("unconditional")) return {};
    const { "if-match": ifMatch, "if-none-match": ifNoneMatch } = headers;
    if (this.#fault.has("no match") && ifMatch !== undefined) return { ifMatch: '"none"' };
    // Those that came together have all looked before the first one wrote.
    const looked = ifMatch === undefined ? "two steps" : "two steps to match";
    return this.#fault.has(looked) && key.endsWith("-raced") ? {} : { ifMatch, ifNoneMatch };
  }

  #refusal({ headers }: IncomingMessage, bucket: string, kind: S3Request["kind"]): Answer | undefined {
    if (this.#fault.has("failing")) return error(500, "InternalError", "We encountered an internal error.");
    if (this.#fault.has("slow down")) return error(503, "SlowDown", "Please reduce your request rate.");
    if (this.#fault.has("busy") && kind === "put") {
      this.#writes += 1;
      if (this.#writes % 2 === 1)
        return error(429, "TooManyRequests", "Reduce your rate of writes of this object.");
    }
    if (this.#fault.has("full") && kind === "put")
      return error(507, "XMinioStorageFull", "No space is left.");
    if (!(headers.authorization ?? "").includes(`Credential=${S3_KEYS.accessKeyId}/`))
      return error(403, "InvalidAccessKeyId", "The access key does not exist.");
    if (bucket !== S3_BUCKET) return error(404, "NoSuchBucket", "The specified bucket does not exist.");
    return undefined;
  }

  #answer({ method, headers }: IncomingMessage, url: URL, key: string, body: Buffer): Answer {
    const conditions = this.#conditions(key, headers);
    switch (method) {
      case "GET":
      case "HEAD":
        return key === "" ? this.#list(url) : this.#read(key, headers.range, conditions.ifNoneMatch);
      case "PUT": {
        const stored = this.objects.put(key, body, conditions);
        return stored === undefined ? failed() : { status: 200, headers: { ETag: stored.etag } };
      }
      case "DELETE":
        return this.objects.delete(key, conditions) ? { status: 204 } : failed();
      case "POST": {
        if (!url.searchParams.has("delete")) return error(501, "NotImplemented", "Only ?delete.");
        const keys = keysToDelete(body.toString());
        for (const each of keys) this.objects.delete(each, {});
        return { status: 200, body: deletedXml(keys), headers: XML };
      }
      default:
        return error(405, "MethodNotAllowed", `${method} is not supported.`);
    }
  }

  #read(key: string, range: string | undefined, ifNoneMatch: string | undefined): Answer {
    const stored = this.objects.get(key);
    if (stored === undefined) return error(404, "NoSuchKey", "The specified key does not exist.");
    const { body, etag } = stored;
    const headers = { ETag: etag, "Last-Modified": stored.at.toUTCString(), "Accept-Ranges": "bytes" };
    if (ifNoneMatch === etag) return { status: 304, headers };
    const part = range === undefined ? undefined : bytesOf(range, body.length);
    if (part === undefined) return { status: 200, body, headers };
    if (part === "outside") return error(416, "InvalidRange", "The range is not satisfiable.");
    const [first, last] = part;
    const within = { "Content-Range": `bytes ${first}-${last}/${body.length}` };
    return { status: 206, body: body.subarray(first, last + 1), headers: { ...headers, ...within } };
  }

  #list({ searchParams }: URL): Answer {
    const token = searchParams.get("continuation-token");
    const options = {
      prefix: searchParams.get("prefix") ?? "",
      delimiter: searchParams.get("delimiter") ?? "",
      after:
        token === null ? (searchParams.get("start-after") ?? "") : Buffer.from(token, "base64").toString(),
      limit: Math.min(MAX_PAGE, Number(searchParams.get("max-keys") ?? MAX_PAGE)),
    };
    const page = this.objects.page(options);
    return { status: 200, body: listXml(this.objects, S3_BUCKET, options, page), headers: XML };
  }
}

const XML = { "Content-Type": "application/xml" };

function kindOf(method: string, { pathname, searchParams }: URL): S3Request["kind"] {
  if (method === "PUT") return "put";
  if (method === "DELETE" || searchParams.has("delete")) return "delete";
  return pathname.split("/").slice(2).join("/") === "" ? "list" : "get";
}

function error(status: number, code: string, message: string): Answer {
  return { status, body: errorXml(code, message), headers: XML };
}

function failed(): Answer {
  return error(412, "PreconditionFailed", "At least one of the preconditions you specified did not hold.");
}

/** The first and the last byte that a Range header asks for; undefined if it is not understood. */
function bytesOf(range: string, size: number): readonly [number, number] | "outside" | undefined {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  if (from === "" && to === "") return undefined;
  if (from === "") return size === 0 ? "outside" : [Math.max(0, size - Number(to)), size - 1];
  if (Number(from) >= size) return "outside";
  return [Number(from), to === "" ? size - 1 : Math.min(Number(to), size - 1)];
}
