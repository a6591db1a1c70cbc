/** The S3 bucket that a cluster keeps its state in, as far as the server itself uses it. */

import { AwsClient } from "aws4fetch";
import { ClusterError } from "./errors.ts";
import type { CredentialSource } from "./secrets.ts";

export interface StoreOptions {
  /** Without a path, as `https://s3.eu-central-1.amazonaws.com`. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Of all keys, without a slash at its end; may be empty. */
  readonly prefix: string;
  readonly credentials: CredentialSource;
}

/** Conditions of a write: an ETag, or `*`. */
export interface WriteConditions {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
}

export interface StoredText {
  readonly text: string;
  readonly etag: string;
}

export interface Listed {
  readonly keys: readonly string[];
  /** Prefixes up to and with the next slash. */
  readonly folders: readonly string[];
}

/** Milliseconds that a request may take. */
const TIMEOUT_MS = 10_000;

export class Store {
  readonly #options: StoreOptions;
  readonly #fetch: typeof fetch;

  /** @param send the platform's `fetch`, or a test's */
  constructor(options: StoreOptions, send: typeof fetch = fetch) {
    this.#options = options;
    this.#fetch = send;
  }

  /** `s3://bucket/prefix`. */
  get url(): string {
    const { bucket, prefix } = this.#options;
    return `s3://${bucket}${prefix === "" ? "" : `/${prefix}`}`;
  }

  get options(): StoreOptions {
    return this.#options;
  }

  /** @returns false if a condition does not hold; then nothing is written @throws {ClusterError} */
  async put(key: string, text: string, conditions: WriteConditions = {}): Promise<boolean> {
    const headers = {
      ...(conditions.ifMatch !== undefined && { "If-Match": conditions.ifMatch }),
      ...(conditions.ifNoneMatch !== undefined && { "If-None-Match": conditions.ifNoneMatch }),
    };
    const response = await this.#ask("PUT", this.#urlOf(key), { body: text, headers });
    await response.body?.cancel();
    // 409: another conditional write of the same key was under way, or there is no such key to match.
    if (response.status === 412 || response.status === 409) return false;
    // No such key to match: some stores say it so.
    if (response.status === 404 && conditions.ifMatch !== undefined) return false;
    if (!response.ok) throw this.#refused(response.status);
    return true;
  }

  /** @returns undefined if there is no such object @throws {ClusterError} */
  async get(key: string): Promise<StoredText | undefined> {
    const response = await this.#ask("GET", this.#urlOf(key));
    const text = await response.text();
    if (response.status === 404 && !text.includes("NoSuchBucket")) return undefined;
    if (!response.ok) throw this.#refused(response.status);
    return { text, etag: response.headers.get("ETag") ?? "" };
  }

  /** Deletes an object; that it is not there is no error. @throws {ClusterError} */
  async delete(key: string): Promise<void> {
    const response = await this.#ask("DELETE", this.#urlOf(key));
    await response.body?.cancel();
    if (!response.ok && response.status !== 404) throw this.#refused(response.status);
  }

  /** All keys below a prefix, page by page; with `folders`, only as deep as the next slash. @throws {ClusterError} */
  async *list(prefix: string, { folders = false } = {}): AsyncGenerator<Listed> {
    let token: string | undefined;
    do {
      const url = this.#urlOf("");
      url.searchParams.set("list-type", "2");
      url.searchParams.set("prefix", this.#keyOf(prefix));
      if (folders) url.searchParams.set("delimiter", "/");
      if (token !== undefined) url.searchParams.set("continuation-token", token);
      const response = await this.#ask("GET", url);
      const xml = await response.text();
      if (!response.ok) throw this.#refused(response.status);
      yield {
        keys: this.#own(textsOf(xml, "Key")),
        folders: this.#own(textsOf(xml, "Prefix", "CommonPrefixes")),
      };
      [token] = textsOf(xml, "NextContinuationToken");
    } while (token !== undefined);
  }

  #own(keys: readonly string[]): string[] {
    return keys.map((key) => key.slice(this.#keyOf("").length));
  }

  #keyOf(key: string): string {
    const { prefix } = this.#options;
    return prefix === "" ? key : `${prefix}/${key}`;
  }

  #urlOf(key: string): URL {
    const { endpoint, bucket } = this.#options;
    const path = key === "" ? "" : `/${this.#keyOf(key).split("/").map(encodeURIComponent).join("/")}`;
    return new URL(`${endpoint}/${bucket}${path}`);
  }

  async #ask(
    method: string,
    url: URL,
    { body, headers = {} }: { readonly body?: string; readonly headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const { region, credentials } = this.#options;
    // No retries of the signer's: those who call decide, and most of them ask again later anyway.
    const client = new AwsClient({ ...credentials.read(), region, service: "s3", retries: 0 });
    try {
      const signed = await client.sign(url, { method, headers, ...(body !== undefined && { body }) });
      return await this.#fetch(signed, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (error) {
      const { message, cause } = error as Error;
      const why = cause instanceof Error && cause.message !== "" ? cause.message : message;
      throw new ClusterError(
        "cluster_store_unreachable",
        `The store ${this.#options.endpoint} does not answer: ${why}. Check --endpoint, and that this machine can reach it.`,
      );
    }
  }

  #refused(status: number): ClusterError {
    const { endpoint, bucket } = this.#options;
    if (status === 404)
      return new ClusterError(
        "cluster_store_no_bucket",
        `The store ${endpoint} has no bucket ${bucket}. Create it, or correct --bucket.`,
      );
    if (status === 401 || status === 403)
      return new ClusterError(
        "cluster_store_refused",
        `The store ${endpoint} refuses the credentials for the bucket ${bucket} (${status}). They need to get, put, delete and list its objects; check the region, too: --region`,
      );
    if (status === 429 || status === 503)
      return new ClusterError(
        "cluster_store_busy",
        `The store ${endpoint} asks to slow down (${status}). Try again later, and look at what else uses it.`,
      );
    if (status === 507)
      return new ClusterError("cluster_store_full", `The store ${endpoint} is full. Make room in it.`);
    return new ClusterError(
      "cluster_store_unreachable",
      `The store ${endpoint} answered ${status}. Look at its log, and try again.`,
    );
  }
}

/** The texts of XML elements, without those that are in no `parent`. Enough for S3's lists, whose elements do not nest. */
function textsOf(xml: string, name: string, parent?: string): string[] {
  const within = parent === undefined ? "" : `<${parent}>\\s*`;
  return [...xml.matchAll(new RegExp(`${within}<${name}>([^<]*)</${name}>`, "g"))].map(([, text = ""]) =>
    unescaped(text),
  );
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(
    /&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi,
    (whole, decimal?: string, hex?: string, name = "") => {
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      return ENTITIES[String(name)] ?? whole;
    },
  );
}
