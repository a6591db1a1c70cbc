/** Calls about one key, each an HTTP request of its own. Unlike a batch or session, HTTP carries values of any size. */

import type { HttpResponse } from "./http-response.ts";
import { expectStatus, parseAnswer, readJsonBody, undefinedFor, versionOf, type Version } from "./answers.ts";
import { bytes as bytesCodec, type Codec, type Encoded } from "./codecs.ts";
import { conditionHeaders } from "./conditions.ts";
import type { Http, HttpRequest } from "./http.ts";
import { idempotencyHeader } from "./idempotency.ts";
import { stringifyJson } from "./stringify-json.ts";
import { keyPlace } from "./paths.ts";
import type {
  CallOptions,
  Conditions,
  Entry,
  Incremented,
  IncrementOptions,
  OnceOptions,
  Properties,
  Written,
} from "./types.ts";
import { decodeWith, incrementedOf, incrementToJson, propertiesToJson } from "./wire.ts";

const NO_KEY = "key_not_found";

/** A response that is a value. */
interface Read {
  readonly version: Version;
  readonly headers: Pick<Headers, "get">;
  readonly body: Uint8Array;
}

export class HttpKeys {
  readonly #http: Http;
  readonly #bucketPath: string;
  readonly #codec: Codec;

  constructor(http: Http, bucketPath: string, codec: Codec) {
    this.#http = http;
    this.#bucketPath = bucketPath;
    this.#codec = codec;
  }

  async has(key: string, options: CallOptions): Promise<boolean> {
    const { path, query } = this.#place(key);
    // A 304 has no value, as a HEAD has none. But an error's code is in the body, and a HEAD has no body either.
    const headers = { "If-None-Match": "*" };
    const request: HttpRequest = { query, headers, ...options, repeatable: true, accept: [304] };
    return (await undefinedFor(NO_KEY, this.#http.ask(path, request, expectStatus(304)))) ?? false;
  }

  async get(key: string, options: CallOptions): Promise<Entry | undefined> {
    const { path, query } = this.#place(key);
    const request: HttpRequest = { query, ...options, repeatable: true };
    return undefinedFor(
      NO_KEY,
      this.#http.ask(path, request, async (response) => this.#entryOf(key, await readValue(response))),
    );
  }

  async getAndDelete(key: string, options: Conditions & CallOptions): Promise<Entry | undefined> {
    const { path, query } = this.#place(key);
    const { signal, timeoutMs } = options;
    const request: HttpRequest = {
      method: "POST",
      query,
      headers: conditionHeaders(options),
      signal,
      timeoutMs,
      // The second one would find nothing.
      repeatable: false,
    };
    const taken = await undefinedFor(NO_KEY, this.#http.ask(`${path}/get-and-delete`, request, readValue));
    return taken && this.#entryOf(key, taken, { deleted: taken.body });
  }

  async put(key: string, encoded: Encoded, options: Properties & Conditions & CallOptions): Promise<Written> {
    const { path, query } = this.#place(key);
    const { metadata, ...lifetime } = propertiesToJson(options);
    const { signal, timeoutMs, type = this.#codec.type } = options;
    const request: HttpRequest = {
      method: "PUT",
      query: { ...query, ...lifetime, ...(metadata !== undefined && { metadata: stringifyJson(metadata) }) },
      headers: { "Content-Type": type, ...conditionHeaders(options) },
      body: encoded,
      signal,
      timeoutMs,
      // A retry could overwrite what another client wrote in between.
      repeatable: false,
    };
    return this.#http.ask(path, request, async (response) => ({
      created: response.status === 201,
      ...versionOf(response),
    }));
  }

  async increment(
    key: string,
    options: IncrementOptions & Conditions & OnceOptions & CallOptions,
  ): Promise<Incremented> {
    const { idempotencyKey, signal, timeoutMs } = options;
    const { path, query } = this.#place(key);
    const request: HttpRequest = {
      method: "POST",
      query,
      headers: { ...conditionHeaders(options), ...idempotencyHeader(idempotencyKey) },
      body: stringifyJson(incrementToJson(options)),
      signal,
      timeoutMs,
      repeatable: idempotencyKey !== undefined,
    };
    return incrementedOf(await this.#http.ask(`${path}/increment`, request, readJsonBody));
  }

  #place(key: string): { readonly path: string; readonly query: NonNullable<HttpRequest["query"]> } {
    const { path, query } = keyPlace(key);
    return { path: this.#bucketPath + path, query: { ...query } };
  }

  #entryOf(
    key: string,
    { version, headers, body }: Read,
    undecoded: Parameters<typeof decodeWith>[3] = {},
  ): Entry {
    const type = headers.get("Content-Type") ?? bytesCodec.type;
    const expires = headers.get("KV-Expires");
    const metadata = headers.get("KV-Metadata");
    return {
      key,
      value: decodeWith(this.#codec, body, { type, key }, undecoded),
      ...version,
      type,
      size: body.byteLength,
      modified: undefined,
      expires: expires === null ? undefined : new Date(expires),
      metadata: metadata === null ? undefined : parseAnswer(metadata),
    };
  }
}

async function readValue(response: HttpResponse): Promise<Read> {
  const version = versionOf(response);
  return { version, headers: response.headers, body: new Uint8Array(await response.arrayBuffer()) };
}
