/** The service. */

import { only, orUndefined, shaped, shapedAs, type Shape } from "./answers.ts";
import { Bucket } from "./bucket.ts";
import { json, type Codec } from "./codecs.ts";
import { jsonText } from "./json-text.ts";
import { Http, type Fetch, type HttpRequest } from "./http.ts";
import { monitor } from "./monitor.ts";
import { checkOptions, CLIENT, problemOf, refused } from "./options.ts";
import { patientFetch } from "./patient-fetch.ts";
import { bucketPath } from "./paths.ts";
import { shown } from "./shown.ts";
import { openSocket, type PlatformSocket, type WebSocketClass } from "./socket.ts";
import type { BucketEvent, BucketInfo, BucketOptions, CallOptions, Entries } from "./types.ts";

export interface KvOptions {
  /** Where the service is: `http://127.0.0.1:8787`. */
  readonly url: string | URL;
  readonly token?: string | undefined;
  /** Milliseconds after which a call is given up; 10,000 if left out. */
  readonly timeoutMs?: number | undefined;
  /** How often what is safe to repeat is tried again; 3 if left out. */
  readonly retries?: number | undefined;
  /** The wait before the first of these, at most, in milliseconds; 100 if left out. */
  readonly retryBaseMs?: number | undefined;
  /**
   * How long a stream of changes may say nothing, in milliseconds, before it is opened anew; 65,000 if left out, a bit
   * more than the longest time between two of the service's signs of life (`KV_HEARTBEAT_MS`).
   */
  readonly silenceMs?: number | undefined;
  /** The platform's, if left out. */
  readonly fetch?: Fetch | undefined;
  /** The platform's, if left out; only sessions and `connect` need it. Node 20 has none: give it that of the package ws. */
  readonly WebSocket?: WebSocketClass | undefined;
}

export interface OpenOptions<Value> {
  /** How values become bytes; JSON if left out. */
  readonly codec?: Codec<Value> | undefined;
}

export class Kv {
  readonly #http: Http;
  readonly #options: KvOptions;

  /** @throws {TypeError} for what can't be meant; its `code` is `options_invalid`, `url_invalid` or `token_invalid` */
  constructor(options: KvOptions) {
    const problem = problemOf(options, CLIENT, "new Kv");
    if (problem !== undefined) throw invalid("options", problem);
    this.#options = options;
    this.#http = new Http({
      url: checkedUrl(options.url),
      token: checkedToken(options.token),
      fetch: options.fetch ?? patientFetch,
      timeoutMs: options.timeoutMs ?? 10_000,
      retries: options.retries ?? 3,
      retryBaseMs: options.retryBaseMs ?? 100,
      silenceMs: options.silenceMs ?? 65_000,
    });
  }

  /** A bucket's values. Asks nothing: the bucket need not be there. */
  bucket<T extends Entries = Record<string, unknown>>(
    name: string,
    options?: OpenOptions<T[keyof T]>,
  ): Bucket<T>;
  /** The codec says what the values are. */
  bucket<Value>(name: string, options: OpenOptions<Value>): Bucket<Record<string, Value>>;
  bucket(name: string, options: { readonly codec?: Codec | undefined } = {}): Bucket {
    checkOptions("bucket", options);
    const { codec = json } = options;
    return new Bucket({
      name,
      http: this.#http,
      codec,
      session: {
        WebSocket: this.#options.WebSocket,
        timeoutMs: this.#options.timeoutMs ?? 10_000,
        retries: this.#options.retries ?? 3,
        retryBaseMs: this.#options.retryBaseMs ?? 100,
      },
    });
  }

  /**
   * Ensures that there is a bucket.
   * @throws {InvalidRequestError} `bucket_exists_differently`, if one is there that was created otherwise than is said
   */
  async create(
    name: string,
    options: BucketOptions & CallOptions = {},
  ): Promise<BucketInfo & { readonly created: boolean }> {
    checkOptions("create", options);
    const { signal, timeoutMs, ...body } = options;
    const request: HttpRequest = { method: "PUT", body: jsonText(body), signal, timeoutMs, safe: true };
    return this.#http.ask(bucketPath(name), request, async (response) => ({
      ...(await bucketOf(response)),
      created: response.status === 201,
    }));
  }

  /** What is known of a bucket; undefined if there is none. */
  async lookup(name: string, options: CallOptions = {}): Promise<BucketInfo | undefined> {
    checkOptions("lookup", options);
    const request: HttpRequest = { ...options, safe: true };
    return orUndefined(NO_BUCKET, this.#http.ask(bucketPath(name), request, bucketOf));
  }

  /** Ends a bucket: its data is gone, its name free. @returns whether there was one */
  async stop(name: string, options: CallOptions = {}): Promise<boolean> {
    checkOptions("stop", options);
    const request = { method: "DELETE", ...options, safe: false };
    return (await orUndefined(NO_BUCKET, this.#http.ask(bucketPath(name), request, only(204)))) ?? false;
  }

  /** Sends an exit signal. @returns whether there was such a bucket */
  async exit(name: string, reason: string, options: CallOptions = {}): Promise<boolean> {
    checkOptions("exit", options);
    if (typeof reason !== "string")
      throw refused("reason_invalid", `A reason has to be text, and not ${shown(reason)}.`);
    const request = {
      method: "POST",
      body: JSON.stringify({ reason }),
      ...options,
      safe: false,
    };
    const path = `${bucketPath(name)}/exit`;
    return (await orUndefined(NO_BUCKET, this.#http.ask(path, request, only(202)))) ?? false;
  }

  /**
   * The restarts of the bucket that has the name now, and its end, which is the last event; at once, with reason
   * `noproc`, if there is none. It comes back by itself where the connection breaks.
   */
  monitor(
    name: string,
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<BucketEvent, void, void> {
    checkOptions("monitor", options);
    return monitor(this.#http, `${bucketPath(name)}/monitor`, options.signal);
  }

  /** A WebSocket that is opening, and speaks the text protocol with any bucket. */
  connect(options: Readonly<Record<string, never>> = {}): PlatformSocket {
    checkOptions("connect", options);
    const address = this.#http.address("/v1/connect");
    return openSocket(address, this.#http.token, this.#options.WebSocket) as PlatformSocket;
  }

  /** All buckets in the order of their names. Wakes none. */
  async *buckets(
    options: { readonly prefix?: string } & CallOptions = {},
  ): AsyncGenerator<BucketInfo, void, void> {
    checkOptions("buckets", options);
    const { prefix, ...call } = options;
    let cursor: string | undefined;
    do {
      const request: HttpRequest = { query: { prefix, cursor }, ...call, safe: true };
      const page = await this.#http.ask("/v1/buckets", request, bucketsOf);
      for (const bucket of page.buckets) yield shaped(bucket, BUCKET);
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
}

const NO_BUCKET = "bucket_not_found";
const BUCKET: Shape<BucketInfo> = { name: "string" };
const bucketOf = shapedAs<BucketInfo>(BUCKET);
const bucketsOf = shapedAs<{ readonly buckets: readonly unknown[]; readonly cursor?: string }>({
  buckets: "array",
});

/** `fetch` takes no address with a password, and each request has a query of its own. */
function checkedUrl(url: string | URL): string {
  // Also a URL of another window, or a page's location; what is neither may have no text at all.
  const { href } = (url ?? {}) as { readonly href?: unknown };
  const text = typeof url === "string" ? url : typeof href === "string" ? href : "";
  const { protocol = "", username, password, search, hash } = URL.canParse(text) ? new URL(text) : {};
  if (protocol !== "http:" && protocol !== "https:") {
    const given = text === "" ? shown(url) : text;
    throw invalid("url", `${given} is not the address of a service, such as http://127.0.0.1:8787.`);
  }
  if (username || password) throw invalid("url", "An address has no user and no password: give a token.");
  if (search || hash) throw invalid("url", `${text} has a query or a fragment: give it without.`);
  return text;
}

/** It travels in a header. */
function checkedToken(token: string | undefined): string | undefined {
  if (token === undefined || (typeof token === "string" && /^(?! )[\x20-\x7e]+(?<! )$/.test(token)))
    return token;
  throw invalid("token", "A token has to be printable ASCII, without blanks around it.");
}

function invalid(option: string, why: string): TypeError {
  return Object.assign(new TypeError(why), { code: `${option}_invalid` });
}
