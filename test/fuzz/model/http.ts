/** What the HTTP API has to answer to a request, as it goes over the wire: by its description, and a model of what is kept. */

import type { Api, Operation } from "../support/api.ts";
import { anyText, anyTime, bothOf, having, Matcher } from "../support/expect.ts";
import type { Sent } from "../support/raw-http.ts";
import type { Expected, Planned } from "./expected.ts";
import { encodeCursor, ModelBucket, Refused, timeMatcher, type Entry } from "./bucket.ts";
import { batch, transact, type Operation as BucketOperation, type Transaction } from "./operations.ts";
import { exportLines, importLines } from "./lines.ts";
import { rangeOf } from "./headers.ts";
import { meaningOf } from "./meaning.ts";
import { understand, type Understood } from "./request.ts";

interface BucketOptions {
  readonly restart?: string;
  readonly metadata?: unknown;
  readonly jurisdiction?: string;
  readonly locationHint?: string;
}

/** Whether an option that was given is not the one of the bucket that is there. */
function differs(
  bucket: ModelBucket,
  { restart, metadata, jurisdiction, locationHint }: BucketOptions,
): boolean {
  return (
    (restart !== undefined && restart !== bucket.restart) ||
    (metadata !== undefined && JSON.stringify(metadata) !== JSON.stringify(bucket.metadata)) ||
    (locationHint !== undefined && locationHint !== bucket.locationHint) ||
    jurisdiction !== undefined
  );
}

const ANY_200: Expected = { statuses: [200] };
const MAX_RESTARTS = 2;
/** Operations that depend on no bucket's entries. */
const NO_MEANING = new Set([
  "describeApi",
  "describeRegistry",
  "health",
  "listMetrics",
  "runCommands",
  "showDocs",
  "showStart",
]);
/** Operations that are answered also where there is no bucket. */
const BEFORE_LOOKUP = new Set([
  "createBucket",
  "monitorBucket",
  "monitorBucketHead",
  "openSession",
  "connectToBucket",
]);

export class HttpModel {
  readonly buckets = new Map<string, ModelBucket>();
  readonly #api: Api;
  /** The prefix of all names of this run. */
  readonly #namespace: string;

  constructor(api: Api, namespace: string) {
    this.#api = api;
    this.#namespace = namespace;
  }

  /**
   * What a request is to be answered with; what it changes is changed here. The request itself is another one where
   * its answer could not be known: a request with respond-async that has done nothing yet may do something later.
   */
  plan(given: Sent): Planned {
    const request = this.#tamed(given);
    const understood = understand(this.#api, request);
    const { operation, faults, respondAsync } = understood;
    const missing = this.#missing(understood) ? ["bucket_not_found"] : [];
    if (operation === undefined || faults.size > 0) {
      return { request, expected: { codes: [...faults, ...missing, ...understood.maybe] } };
    }
    const before = this.#state(understood);
    const expected =
      missing.length > 0
        ? { codes: [...missing, ...understood.maybe] }
        : this.#answer(operation, understood, request);
    if (!respondAsync) return { request, expected };
    if (this.#state(understood) === before) return { request: withoutPrefer(request), expected };
    return { request, expected: this.#accepted(understood) };
  }

  /** More than three restarts in five seconds leave a bucket alone: that is tested elsewhere. */
  #tamed(request: Sent): Sent {
    const { operation, bucket: name = "", faults, json } = understand(this.#api, request);
    if (operation?.id !== "exitBucket" || faults.size > 0) return request;
    const bucket = this.buckets.get(name);
    const { reason } = json as { reason: string };
    if (reason === "normal" || bucket === undefined) return withoutPrefer(request);
    if (bucket.restart === "temporary" || bucket.restarts < MAX_RESTARTS) return withoutPrefer(request);
    return { ...withoutPrefer(request), body: Buffer.from('{"reason":"normal"}') };
  }

  /** Differs when something was changed. */
  #state({ bucket: name = "" }: Understood): string {
    const bucket = this.buckets.get(name);
    return bucket === undefined ? "" : `${bucket.revision}`;
  }

  #missing({ operation, bucket }: Understood): boolean {
    if (bucket === undefined || BEFORE_LOOKUP.has(operation?.id ?? "")) return false;
    return !this.buckets.has(bucket);
  }

  #answer(operation: Operation, understood: Understood, request: Sent): Expected {
    try {
      return this.#carryOut(operation, understood, request);
    } catch (error) {
      if (error instanceof Refused) return { codes: [error.code] };
      throw error;
    }
  }

  #carryOut({ id: given }: Operation, asked: Understood, request: Sent): Expected {
    // A HEAD means what its GET does. (`headKey` is described by itself.)
    const id = given.replace(/Head$/, "");
    const bucket = this.buckets.get(asked.bucket ?? "") as ModelBucket;
    const { key = "", query, json, conditions } = asked;
    switch (id) {
      case "createBucket":
        return this.#create(asked);
      case "lookUpBucket":
        return { statuses: [200], json: this.#lookup(asked.bucket ?? "", bucket) };
      case "stopBucket":
        this.buckets.delete(asked.bucket ?? "");
        return { statuses: [204] };
      case "exitBucket":
        this.#exit(asked.bucket ?? "", bucket, (json as { reason: string }).reason);
        return { statuses: [202] };
      case "listBuckets":
        return this.#list(query);
      case "listKeys":
        return { statuses: [200], json: bucket.list({ ...query, after: asked.after }) };
      case "deleteKeys": {
        const keys = bucket.keysOf(query);
        for (const one of keys) bucket.remove(one);
        return { statuses: [200], json: { deleted: keys.length } };
      }
      case "putKey": {
        bucket.demand(key, conditions);
        const { created, revision } = bucket.put(key, request.body ?? Buffer.alloc(0), asked.properties);
        const headers = { etag: quoted(bucket, revision), "kv-revision": String(revision) };
        return { statuses: [created ? 201 : 204], headers };
      }
      case "getKey":
      case "headKey":
        return read(bucket, key, asked, request, id === "headKey");
      case "deleteKey":
        bucket.demand(key, conditions);
        bucket.remove(key);
        return { statuses: [204] };
      case "getAndDeleteKey":
        return take(bucket, key, asked);
      case "incrementKey":
        return once(bucket, asked, ["increment", key, json ?? {}, conditions], () => {
          bucket.demand(key, conditions);
          return bucket.increment(key, json ?? {});
        });
      case "runBatch":
        return { statuses: [200], json: batch(bucket, json as BucketOperation[]) };
      case "runTransaction":
        return once(bucket, asked, ["transaction", json], () => transact(bucket, json as Transaction));
      case "exportBucket":
        return { statuses: [200], lines: exportLines(bucket, query) };
      case "importBucket":
        if ((query.incarnation ?? bucket.incarnation) !== bucket.incarnation)
          return { codes: ["bucket_changed"] };
        return importLines(this.#api, bucket, request.body, { stop: query.onError !== "continue" });
      case "monitorBucket":
      case "watchBucket":
      case "allEvents":
        return { statuses: [200], codes: asked.maybe };
      case "openSession":
      case "connectToBucket":
      case "connectToAny":
        return { codes: ["upgrade_required"] };
      default:
        if (NO_MEANING.has(id)) return ANY_200;
        throw new Error(`The model does not know what ${id} means: say it here.`);
    }
  }

  #create({ bucket: name = "", json, onlyNew }: Understood): Expected {
    const before = this.buckets.get(name);
    if (before !== undefined) {
      if (onlyNew) return { codes: ["precondition_failed"] };
      const codes = differs(before, json ?? {})
        ? ["bucket_exists_differently", "jurisdiction_unavailable"]
        : [];
      const statuses = codes.length === 0 ? [200] : [];
      return { statuses, codes, json: this.#described(name, before) };
    }
    const { restart = "permanent", metadata, jurisdiction, locationHint } = (json ?? {}) as BucketOptions;
    // Only Cloudflare has some.
    if (jurisdiction !== undefined) throw new Refused("jurisdiction_unavailable");
    const bucket = Object.assign(new ModelBucket(), { restart, metadata, locationHint });
    this.buckets.set(name, bucket);
    return {
      statuses: [201],
      json: this.#described(name, bucket),
      learn: ({ body }) => {
        bucket.incarnation = incarnationOf(body);
      },
    };
  }

  /** What the registry tells of it, but for what its last probe brought. */
  #described(name: string, { incarnation, restart, metadata }: ModelBucket): Matcher {
    return having({
      name,
      id: anyText,
      incarnation: incarnation ?? anyText,
      status: "running",
      restart,
      createdAt: anyTime,
      metadata,
    });
  }

  #lookup(name: string, bucket: ModelBucket): Matcher {
    return bothOf(
      this.#described(name, bucket),
      having({ entries: bucket.entries.size, bytes: sizeOf(bucket), revision: bucket.revision }),
    );
  }

  #list(query: Understood["query"]): Expected {
    const { prefix = "", limit = 1_000 } = query as { prefix?: string; limit?: number };
    if (!prefix.startsWith(this.#namespace) || "cursor" in query) return ANY_200;
    const names = [...this.buckets.keys()].filter((name) => name.startsWith(prefix)).toSorted();
    const page = names.slice(0, limit);
    return {
      statuses: [200],
      json: {
        buckets: page.map((name) => this.#described(name, this.buckets.get(name) as ModelBucket)),
        ...(names.length > limit ? { cursor: encodeCursor(page.at(-1) ?? "") } : {}),
      },
    };
  }

  #exit(name: string, bucket: ModelBucket, reason: string): void {
    if (reason === "normal") return;
    if (bucket.restart === "temporary") this.buckets.delete(name);
    else bucket.restarts += 1;
  }

  /** Sent, and no more: what it does is waited for, so that the next request finds it done. */
  #accepted({ bucket: name = "" }: Understood): Expected {
    const bucket = this.buckets.get(name);
    return {
      statuses: [202],
      headers: { "preference-applied": "respond-async" },
      settled: {
        request: {
          method: "GET",
          path: `/v1/buckets/${encodeURIComponent(name)}`,
          headers: {},
          body: undefined,
        },
        ...(bucket === undefined ? { status: 404 } : { status: 200, revision: bucket.revision }),
      },
      learn: ({ body }) => {
        if (bucket !== undefined) bucket.incarnation ??= incarnationOf(body);
      },
    };
  }
}

/** What is remembered for idempotency keys takes up room too. */
function sizeOf({ bytes, remembered }: ModelBucket): number | Matcher {
  if (remembered.size === 0) return bytes;
  return new Matcher(`${bytes} or more`, (given) => Number(given) >= bytes);
}

function incarnationOf(body: Buffer): string {
  return (JSON.parse(String(body)) as { incarnation: string }).incarnation;
}

function withoutPrefer(request: Sent): Sent {
  const headers = Object.entries(request.headers).filter(([name]) => name.toLowerCase() !== "prefer");
  return { ...request, headers: Object.fromEntries(headers) };
}

function read(
  bucket: ModelBucket,
  key: string,
  { conditions }: Understood,
  { headers }: Sent,
  head: boolean,
): Expected {
  const { match, noneMatch } = bucket.holds(key, conditions);
  const entry = bucket.entries.get(key);
  if (!match) return { codes: ["precondition_failed"] };
  if (entry === undefined) return { codes: ["key_not_found"] };
  const etag = quoted(bucket, entry.revision);
  if (!noneMatch) return { statuses: [304], headers: { etag } };
  const { value } = entry;
  const about = { etag, ...headersOf(entry) };
  if (head) return { statuses: [200], headers: { ...about, "content-length": String(value.length) } };
  const range = rangeOf(headers, value.length, etag);
  if (range === undefined) return { statuses: [200], headers: about, body: value };
  if (range === "unsatisfiable") return { codes: ["range_not_satisfiable"] };
  const { first, last } = range;
  return {
    statuses: [206],
    headers: { ...about, "content-range": `bytes ${first}-${last}/${value.length}` },
    body: value.subarray(first, last + 1),
  };
}

/** No part of it can be asked for. */
function take(bucket: ModelBucket, key: string, { conditions }: Understood): Expected {
  bucket.demand(key, conditions);
  const entry = bucket.entries.get(key);
  if (entry === undefined) return { codes: ["key_not_found"] };
  const headers = { etag: quoted(bucket, entry.revision), ...headersOf(entry), "accept-ranges": undefined };
  bucket.remove(key);
  return { statuses: [200], headers, body: entry.value };
}

function headersOf({
  type,
  revision,
  metadata,
  expires,
}: Entry): Record<string, string | Matcher | undefined> {
  return {
    "content-type": type,
    "kv-revision": String(revision),
    "kv-expires": expires === undefined ? undefined : timeMatcher(expires),
    "kv-metadata": metadata === undefined ? undefined : asciiJson(metadata),
    "accept-ranges": "bytes",
    "x-content-type-options": "nosniff",
  };
}

function asciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\x7f-\uffff]/g,
    (character) => String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function quoted(bucket: ModelBucket, revision: number): string {
  return `"${bucket.incarnation}-${revision}"`;
}

/** What carries an idempotency key is done once. */
function once(
  bucket: ModelBucket,
  { idempotencyKey }: Understood,
  request: unknown,
  run: () => unknown,
): Expected {
  if (idempotencyKey === undefined) return { statuses: [200], json: run() };
  const meaning = meaningOf(request);
  const before = bucket.remembered.get(idempotencyKey);
  if (before !== undefined) {
    if (before.meaning !== meaning) return { codes: ["idempotency_key_reused"] };
    return { statuses: [200], json: before.answer, headers: { "idempotency-replayed": "true" } };
  }
  const answer = run();
  bucket.remembered.set(idempotencyKey, { meaning, answer });
  return { statuses: [200], json: answer, headers: { "idempotency-replayed": undefined } };
}
