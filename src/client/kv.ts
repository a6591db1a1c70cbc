/** The client's entry point: buckets by name, and their lifecycle. */

import { expectStatus, undefinedFor, checkShape, readShape, type Shape } from "./answers.ts";
import { Bucket } from "./bucket.ts";
import { json, type AnyCodec, type Codec } from "./codecs.ts";
import { stringifyJson } from "./stringify-json.ts";
import { FirstWrite } from "./first-write.ts";
import { Http, type Fetch, type HttpRequest } from "./http.ts";
import { monitor } from "./monitor.ts";
import { checkOptions, CLIENT, problemOf, invalidRequest } from "./options.ts";
import { platformExchange } from "./platform-exchange.ts";
import { platformFetch } from "./platform-fetch.ts";
import { bucketPath } from "./paths.ts";
import { describeValue } from "./describe-value.ts";
import { withSchema, type InputOf, type OutputOf, type StandardSchema } from "./schema.ts";
import { openSocket, type PlatformSocket, type WebSocketClass } from "./socket.ts";
import type { BucketEvent, BucketInfo, BucketOptions, CallOptions, Entries } from "./types.ts";

/** The options of {@link Kv}. */
export interface KvOptions {
  /** The service's address, such as `http://127.0.0.1:8787`. */
  readonly url: string | URL;
  /** The service's token (`KV_TOKEN`), if it has one. */
  readonly token?: string | undefined;
  /** Deadline of a call in milliseconds; 10,000 by default. */
  readonly timeoutMs?: number | undefined;
  /** Retries of a call that can safely be repeated; 3 by default. */
  readonly retries?: number | undefined;
  /** Longest wait before the first retry in milliseconds, doubled with each retry; 100 by default. */
  readonly retryBaseMs?: number | undefined;
  /**
   * Milliseconds without a byte after which a stream of changes is reconnected; 65,000 by default, a little more than
   * the longest interval between two heartbeats of the service (`KV_HEARTBEAT_MS`).
   */
  readonly silenceMs?: number | undefined;
  /** The platform's by default. */
  readonly fetch?: Fetch | undefined;
  /** The platform's by default. Only sessions and `connect` use it. Node 20 has none: pass that of the package `ws`. */
  readonly WebSocket?: WebSocketClass | undefined;
}

/** Options of a handle, {@link Kv.bucket}. */
export interface OpenOptions<Value> extends BucketDefaults {
  /** Converts values to bytes and back; JSON by default. */
  readonly codec?: Codec<Value> | undefined;
}

/** Options of a handle whose values a schema checks, when they are written and when they are read. */
export interface SchemaOptions<Schema extends StandardSchema> extends BucketDefaults {
  /** Of any library that follows Standard Schema, such as `z.object({ name: z.string() })`. */
  readonly schema: Schema;
  /** Converts values that the schema has checked; JSON by default. */
  readonly codec?: AnyCodec | undefined;
}

/** Options of every handle. */
export interface BucketDefaults {
  /**
   * Creates the bucket when something is first written to it, with these options if they are given. Until then reads
   * find nothing. Without it, calls about a bucket that does not exist throw a {@link BucketNotFoundError}.
   */
  readonly create?: boolean | BucketOptions | undefined;
  /** Time to live, in seconds, of entries whose put does not say otherwise. `ttl: Infinity` in a put says: never. */
  readonly ttl?: number | undefined;
}

/**
 * A client of the service.
 *
 * Methods throw a {@link KvError}. Each call has a deadline, `timeoutMs`. Calls that can safely be repeated are retried.
 * @example
 * ```ts
 * const kv = new Kv({ url, token: "only if the service has one" });
 * await kv.create("groceries");
 * await kv.bucket("groceries").put("milk", 3);
 * console.log(await kv.bucket("groceries").get("milk")); // 3
 * ```
 */
export class Kv {
  readonly #http: Http;
  readonly #options: KvOptions;

  /** @throws TypeError for invalid options; its `code` is `options_invalid`, `url_invalid` or `token_invalid` */
  constructor(options: KvOptions) {
    const problem = problemOf(options, CLIENT, "new Kv");
    if (problem !== undefined) throw invalid("options", problem);
    this.#options = options;
    this.#http = new Http({
      url: checkedUrl(options.url),
      token: checkedToken(options.token),
      fetch: options.fetch ?? platformFetch,
      exchange: options.fetch ?? platformExchange,
      timeoutMs: options.timeoutMs ?? 10_000,
      retries: options.retries ?? 3,
      retryBaseMs: options.retryBaseMs ?? 100,
      silenceMs: options.silenceMs ?? 65_000,
    });
  }

  /**
   * A handle on a bucket. Sends nothing, and the bucket need not exist yet.
   * @throws {@link InvalidRequestError} `bucket_name_invalid`
   * @example
   * ```ts
   * const cart = kv.bucket<{ milk: number; note: string }>("cart", { create: true, ttl: 3_600 });
   * await cart.put("note", "the blue one");
   * console.log(await cart.get("note")); // the blue one
   * ```
   */
  bucket<T extends Entries = Record<string, unknown>>(
    name: string,
    options?: OpenOptions<T[keyof T]>,
  ): Bucket<T>;
  /**
   * A handle whose values a schema checks: a put of another value is refused with `value_invalid`, and a stored value
   * that the schema refuses is a {@link DecodeError}.
   * @example
   * ```ts
   * const users = kv.bucket("users", { schema: z.object({ name: z.string() }), create: true });
   * await users.put("ann", { name: "Ann" });
   * console.log(await users.get("ann")); // { name: 'Ann' }
   * ```
   */
  bucket<Schema extends StandardSchema>(
    name: string,
    options: SchemaOptions<Schema>,
  ): Bucket<Record<string, OutputOf<Schema>>, Record<string, InputOf<Schema>>>;
  /**
   * A handle whose values have the type that the codec decodes.
   * @example
   * ```ts
   * const notes = kv.bucket("notes", { codec: text, create: true });
   * await notes.put("today", "buy milk");
   * console.log(await notes.get("today")); // buy milk
   * ```
   */
  bucket<Value>(name: string, options: OpenOptions<Value>): Bucket<Record<string, Value>>;
  bucket(
    name: string,
    options: BucketDefaults & {
      readonly codec?: AnyCodec | undefined;
      readonly schema?: StandardSchema | undefined;
    } = {},
  ): Bucket {
    checkOptions("bucket", options);
    const { schema, create = false, ttl } = options;
    const codec = (options.codec ?? json) as Codec;
    return new Bucket({
      name,
      http: this.#http,
      codec: schema === undefined ? codec : withSchema(codec, schema),
      firstWrite: new FirstWrite(
        create === false
          ? undefined
          : (call) => this.create(name, { ...(create === true ? {} : create), ...call }),
      ),
      ttl,
      session: {
        WebSocket: this.#options.WebSocket,
        timeoutMs: this.#options.timeoutMs ?? 10_000,
        retries: this.#options.retries ?? 3,
        retryBaseMs: this.#options.retryBaseMs ?? 100,
      },
    });
  }

  /**
   * Creates a bucket, unless it exists.
   * @returns the bucket; `created` is false if it existed
   * @throws {@link InvalidRequestError} `bucket_exists_differently` if it exists and was created with other options
   * @example
   * ```ts
   * console.log((await kv.create("orders", { restart: "permanent" })).created); // true
   * console.log((await kv.create("orders")).created); // false
   * ```
   */
  async create(
    name: string,
    options: BucketOptions & CallOptions = {},
  ): Promise<BucketInfo & { readonly created: boolean }> {
    checkOptions("create", options);
    const { signal, timeoutMs, ...body } = options;
    const request: HttpRequest = {
      method: "PUT",
      body: stringifyJson(body),
      signal,
      timeoutMs,
      repeatable: true,
    };
    return this.#http.ask(bucketPath(name), request, async (response) => ({
      ...(await bucketOf(response)),
      created: response.status === 201,
    }));
  }

  /**
   * Describes a bucket. @returns undefined if it does not exist
   * @example
   * ```ts
   * console.log(await kv.lookup("nowhere")); // undefined
   * ```
   */
  async lookup(name: string, options: CallOptions = {}): Promise<BucketInfo | undefined> {
    checkOptions("lookup", options);
    const request: HttpRequest = { ...options, repeatable: true };
    return undefinedFor(NO_BUCKET, this.#http.ask(bucketPath(name), request, bucketOf));
  }

  /**
   * Stops a bucket: deletes its data and frees its name. @returns whether it existed
   * @example
   * ```ts
   * await kv.create("leftovers");
   * console.log(await kv.stop("leftovers"), await kv.stop("leftovers")); // true false
   * ```
   */
  async stop(name: string, options: CallOptions = {}): Promise<boolean> {
    checkOptions("stop", options);
    const request = { method: "DELETE", ...options, repeatable: false };
    return (
      (await undefinedFor(NO_BUCKET, this.#http.ask(bucketPath(name), request, expectStatus(204)))) ?? false
    );
  }

  /**
   * Sends an exit signal. A permanent bucket is restarted and keeps its data; a temporary one ends.
   * @returns whether the bucket existed
   * @throws {@link InvalidRequestError} `reason_invalid`
   * @example
   * ```ts
   * await kv.create("drafts", { restart: "temporary" });
   * console.log(await kv.exit("drafts", "done"), await kv.lookup("drafts")); // true undefined
   * ```
   */
  async exit(name: string, reason: string, options: CallOptions = {}): Promise<boolean> {
    checkOptions("exit", options);
    if (typeof reason !== "string")
      throw invalidRequest("reason_invalid", `A reason has to be text, and not ${describeValue(reason)}.`);
    const request = {
      method: "POST",
      body: JSON.stringify({ reason }),
      ...options,
      repeatable: false,
    };
    const path = `${bucketPath(name)}/exit`;
    return (await undefinedFor(NO_BUCKET, this.#http.ask(path, request, expectStatus(202)))) ?? false;
  }

  /**
   * Reports each restart of the bucket that has this name now, and then its end, which is the last event. If there is no
   * such bucket, the end comes at once, with the reason `noproc`. Reconnects by itself after a lost connection.
   * @example
   * ```ts
   * for await (const { event, reason } of kv.monitor("nowhere")) console.log(event, reason); // DOWN noproc
   * ```
   */
  monitor(
    name: string,
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<BucketEvent, void, void> {
    checkOptions("monitor", options);
    return monitor(this.#http, `${bucketPath(name)}/monitor`, options.signal);
  }

  /**
   * Opens a WebSocket for the text protocol (docs/protocol.md). @returns the socket, which is still connecting
   * @example
   * ```ts
   * const socket = kv.connect();
   * socket.addEventListener("open", () => socket.send("CREATE pantry"));
   * const reply = new Promise((received) => socket.addEventListener("message", ({ data }) => received(data)));
   * console.log(String(await reply).trim()); // OK
   * socket.close();
   * ```
   */
  connect(options: Readonly<Record<string, never>> = {}): PlatformSocket {
    checkOptions("connect", options);
    const address = this.#http.address("/v1/connect");
    return openSocket(address, this.#http.token, this.#options.WebSocket) as PlatformSocket;
  }

  /**
   * All buckets in the order of their names. Does not wake them.
   * @example
   * ```ts
   * await kv.create("team-red");
   * for await (const { name } of kv.buckets({ prefix: "team-" })) console.log(name); // team-red
   * ```
   */
  async *buckets(
    options: { readonly prefix?: string } & CallOptions = {},
  ): AsyncGenerator<BucketInfo, void, void> {
    checkOptions("buckets", options);
    const { prefix, ...call } = options;
    let cursor: string | undefined;
    do {
      const request: HttpRequest = { query: { prefix, cursor }, ...call, repeatable: true };
      const page = await this.#http.ask("/v1/buckets", request, bucketsOf);
      for (const bucket of page.buckets) yield checkShape(bucket, BUCKET);
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
}

const NO_BUCKET = "bucket_not_found";
const BUCKET: Shape<BucketInfo> = { name: "string" };
const bucketOf = readShape<BucketInfo>(BUCKET);
const bucketsOf = readShape<{ readonly buckets: readonly unknown[]; readonly cursor?: string }>({
  buckets: "array",
});

/** Refuses a user or password, which `fetch` rejects, and a query or fragment, which requests would overwrite. */
function checkedUrl(url: string | URL): string {
  // By its href, so that a URL of another window, or a page's location, is accepted too.
  const { href } = (url ?? {}) as { readonly href?: unknown };
  const text = typeof url === "string" ? url : typeof href === "string" ? href : "";
  const { protocol = "", username, password, search, hash } = URL.canParse(text) ? new URL(text) : {};
  if (protocol !== "http:" && protocol !== "https:") {
    const given = text === "" ? describeValue(url) : text;
    throw invalid("url", `${given} is not a service's address, such as http://127.0.0.1:8787.`);
  }
  if (username || password) throw invalid("url", "An address can't have a user or password: pass a token.");
  if (search || hash) throw invalid("url", `${text} has a query or a fragment: leave it out.`);
  return text;
}

/** A token is sent in a header, which limits its characters. */
function checkedToken(token: string | undefined): string | undefined {
  if (token === undefined || (typeof token === "string" && /^(?! )[\x20-\x7e]+(?<! )$/.test(token)))
    return token;
  throw invalid("token", "A token has to be printable ASCII, without spaces around it.");
}

function invalid(option: string, why: string): TypeError {
  return Object.assign(new TypeError(why), { code: `${option}_invalid` });
}
