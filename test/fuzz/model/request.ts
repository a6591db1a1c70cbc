/** What a request asks for, read from its bytes by the description, and everything that is wrong with it. */

import type { Api, Operation } from "../support/api.ts";
import type { Sent } from "../support/raw-http.ts";
import { BYTES_TYPE, type Conditions, type Lifetime } from "./bucket.ts";
import { conditionsOf, header } from "./headers.ts";
import {
  isBucketName,
  isContentType,
  isIdempotencyKey,
  isReason,
  keyFault,
  MAX_TTL_SECONDS,
  textOf,
} from "./limits.ts";
import {
  faultsOfLifetime,
  faultsOfOperations,
  faultsOfTransaction,
  isSmallMetadata,
  type Operation as BucketOperation,
  type Transaction,
} from "./operations.ts";

/** What queries say, each parameter as the kind of value that the description has for it. */
export interface Query extends Lifetime {
  readonly incarnation?: string;
  readonly prefix?: string;
  readonly start?: string;
  readonly end?: string;
  readonly reverse?: boolean;
  readonly values?: boolean;
  readonly cursor?: string;
  readonly limit?: number;
  readonly metadata?: string;
  readonly key?: string;
  readonly since?: string;
  readonly snapshot?: boolean;
  readonly onError?: string;
}

export interface Understood {
  /** Undefined where there is none: then `faults` says why. */
  readonly operation: Operation | undefined;
  /** Codes: each of them would be a right answer, and none but them. */
  readonly faults: ReadonlySet<string>;
  /** Codes that may come or not. */
  readonly maybe: readonly string[];
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  readonly query: Query;
  /** What a cursor stands for. */
  readonly after: string | undefined;
  readonly conditions: Conditions;
  readonly json: unknown;
  readonly properties: Lifetime & { readonly type: string; readonly metadata?: unknown };
  readonly idempotencyKey: string | undefined;
  /** Whether the client does not wait for the outcome. */
  readonly respondAsync: boolean;
  /** Whether it is to create, and nothing else. */
  readonly onlyNew: boolean;
}

/** What would change a request, and is refused where it is not heeded. */
const HEEDED = ["If-Match", "If-None-Match", "Idempotency-Key"];
/** What answers with a WebSocket, and so to no HEAD. */
const SOCKETS = /^(?:openSession|connectTo)/;
const STREAMS = /^(?:monitorBucket|watchBucket|allEvents)(?:Head)?$/;

export function understand(api: Api, sent: Sent): Understood {
  const reading = new Reading(api, sent);
  return reading.result();
}

class Reading {
  readonly #api: Api;
  readonly #sent: Sent;
  readonly #faults = new Set<string>();
  readonly #path: string;
  readonly #search: string | undefined;

  constructor(api: Api, sent: Sent) {
    this.#api = api;
    this.#sent = sent;
    [this.#path = "", this.#search] = sent.path.split(/\?(.*)/s);
  }

  result(): Understood {
    const { method, headers, body } = this.#sent;
    const pairs = this.#pairs();
    const key64 = pairs.find(([name]) => name === "key64")?.[1];
    const operation = this.#operation(key64);
    const parts = this.#path.split("/");
    const bucket =
      operation?.template.includes("{bucket}") === true ? this.#bucket(parts[3] ?? "") : undefined;
    const key = operation?.template.includes("{key}") === true ? this.#key(parts[5] ?? "", key64) : undefined;
    if (operation === undefined) this.#faults.delete("query_invalid");
    const query = operation === undefined ? {} : this.#query(operation, pairs);
    const conditions = this.#conditions(operation);
    const json = operation === undefined ? undefined : this.#json(operation, body);
    const properties = this.#properties(operation, query);
    const after = this.#after(operation, query);
    const changes = method !== "GET" && method !== "HEAD";
    const prefer = header(headers, "Prefer");
    if (operation?.id === "watchBucket" || operation?.id === "watchBucketHead") this.#watch(query);
    // Nothing at all stands for nothing, and not for everything.
    if (operation?.id === "deleteKeys" && pairs.length === 0) this.#faults.add("query_invalid");
    return {
      operation,
      faults: this.#faults,
      maybe: STREAMS.test(operation?.id ?? "")
        ? ["cursor_invalid", "revision_compacted", "events_expired"]
        : [],
      bucket,
      key,
      query,
      after,
      conditions: conditions ?? {},
      json,
      properties,
      idempotencyKey: this.#idempotencyKey(operation),
      respondAsync:
        changes &&
        prefer !== undefined &&
        /(?:^|,)\s*respond-async\s*(?:$|[,;])/i.test(prefer) &&
        has(operation, "Prefer"),
      onlyNew: conditions?.ifNoneMatch === "*",
    };
  }

  #operation(key64: string | undefined): Operation | undefined {
    const { method } = this.#sent;
    const parts = this.#path.split("/");
    const templates = new Set(this.#api.operations.map(({ template }) => template));
    const asked =
      key64 !== undefined && /^\/v1\/buckets\/[^/]+\/keys$/.test(this.#path) ? [...parts, ""] : parts;
    // What is written out comes before what stands for anything; only a whole path may end in an empty key.
    const template = [...templates]
      .toSorted((a, b) => Number(a.includes("{")) - Number(b.includes("{")))
      .find((one) => matches(one.split("/"), asked));
    if (template === undefined) {
      this.#faults.add("path_not_found");
      return undefined;
    }
    const methods = this.#api.operations.filter((one) => one.template === template);
    const isPublic = methods.some((one) => one.isPublic);
    // What can be read can be asked for without its body, whether or not that is described by itself.
    const isSocket = methods.every((one) => SOCKETS.test(one.id));
    const likened = (isPublic || isSocket) && method === "HEAD" ? "GET" : method;
    const operation = methods.find((one) => one.method === likened);
    if (isSocket && method === "HEAD") this.#faults.add("upgrade_required");
    if (operation === undefined) {
      this.#faults.add("method_not_allowed");
    }
    return operation;
  }

  #bucket(part: string): string | undefined {
    const name = decoded(part);
    if (name !== undefined && isBucketName(name)) return name;
    this.#faults.add("bucket_name_invalid");
    return undefined;
  }

  #key(part: string, key64: string | undefined): string | undefined {
    const key = key64 === undefined ? decoded(part) : decoded64(key64);
    const fault = key === undefined ? "key_invalid" : keyFault(key);
    if (fault !== undefined) this.#faults.add(fault);
    return key;
  }

  #pairs(): readonly (readonly [string, string])[] {
    if (this.#search === undefined || this.#search === "") return [];
    if (decoded(this.#search) === undefined) this.#faults.add("query_invalid");
    return [...new URLSearchParams(this.#search)];
  }

  #query(
    { parameters, isPublic }: Operation,
    pairs: readonly (readonly [string, string])[],
  ): Record<string, unknown> {
    const query: Record<string, unknown> = {};
    // What says nothing of the data takes whatever is asked.
    if (isPublic) {
      this.#faults.delete("query_invalid");
      return query;
    }
    for (const [name, text] of pairs) {
      const parameter = parameters.find((one) => one.in === "query" && one.name === name);
      const value = parameter === undefined ? undefined : typed(parameter.schema["type"], text);
      if (
        parameter === undefined ||
        Object.hasOwn(query, name) ||
        !this.#api.takesParameter(parameter, value)
      ) {
        this.#faults.add("query_invalid");
      } else query[name] = value;
    }
    return query;
  }

  #conditions(operation: Operation | undefined): Conditions | undefined {
    const { method, headers } = this.#sent;
    if (operation === undefined) return undefined;
    if (method !== "GET" && method !== "HEAD") {
      for (const name of HEEDED) {
        if (header(headers, name) !== undefined && !has(operation, name)) this.#faults.add("header_invalid");
      }
    }
    if (!has(operation, "If-None-Match")) return undefined;
    const conditions = conditionsOf(headers);
    const { ifNoneMatch } = conditions ?? {};
    // A bucket has no tag.
    const onlyStar = operation.id === "createBucket" && ifNoneMatch !== undefined && ifNoneMatch !== "*";
    if (conditions === undefined || onlyStar) this.#faults.add("header_invalid");
    return conditions;
  }

  #json({ id, body: described }: Operation, body: Buffer | undefined): unknown {
    if (described?.type !== "application/json") return undefined;
    const bytes = body ?? Buffer.alloc(0);
    if (bytes.length === 0 && !described.required) return undefined;
    const json = parsed(bytes);
    const name = SCHEMAS[id];
    if (json === undefined || name === undefined || !this.#api.takes(name, json.value)) {
      this.#faults.add("body_invalid");
      // Of several things that are wrong it is open which one is told.
      for (const fault of json === undefined ? [] : otherFaults(id, json.value)) this.#faults.add(fault);
      return undefined;
    }
    for (const fault of faultsOfBody(id, json.value)) this.#faults.add(fault);
    return json.value;
  }

  #properties(operation: Operation | undefined, query: Query): Understood["properties"] {
    const { headers } = this.#sent;
    const given = header(headers, "Content-Type");
    const type = given === undefined || given === "" ? BYTES_TYPE : given;
    if (operation?.id !== "putKey") return { type };
    if (!isContentType(type)) this.#faults.add("content_type_invalid");
    const encoding = header(headers, "Content-Encoding");
    if (encoding !== undefined && encoding.toLowerCase() !== "identity")
      this.#faults.add("content_encoding_unsupported");
    if (header(headers, "Content-Range") !== undefined) this.#faults.add("header_invalid");
    const { ttl, expires, metadata: text } = query;
    const life = { ttl, expires };
    if (faultsOfLifetime(life).length > 0) this.#faults.add("query_invalid");
    if (life.expires !== undefined && !isAhead(life.expires)) this.#faults.add("expires_invalid");
    const metadata = text === undefined ? undefined : parsed(Buffer.from(text));
    if (text !== undefined && metadata === undefined) this.#faults.add("query_invalid");
    if (!isSmallMetadata(metadata?.value)) this.#faults.add("metadata_too_large");
    return { type, ...life, metadata: metadata?.value };
  }

  #after(operation: Operation | undefined, { cursor }: Query): string | undefined {
    if (operation === undefined || cursor === undefined) return undefined;
    const after = decoded64(cursor);
    if (after === undefined || after === "") this.#faults.add("cursor_invalid");
    return after;
  }

  #watch({ key, prefix, since, snapshot }: Query): void {
    const fault = key === undefined ? undefined : keyFault(key);
    if (fault !== undefined) this.#faults.add(fault);
    if (key !== undefined && prefix !== undefined) this.#faults.add("query_invalid");
    // With an id the snapshot has been heard, and `since` does not count.
    const isBack = (header(this.#sent.headers, "Last-Event-ID") ?? "") !== "";
    if (snapshot === true && since !== undefined && !isBack) this.#faults.add("query_invalid");
  }

  #idempotencyKey(operation: Operation | undefined): string | undefined {
    const key = header(this.#sent.headers, "Idempotency-Key");
    if (key === undefined || !has(operation, "Idempotency-Key")) return undefined;
    if (!isIdempotencyKey(key)) this.#faults.add("header_invalid");
    return key;
  }
}

/** The description's schemas of JSON bodies, by operation. */
const SCHEMAS: Readonly<Record<string, string>> = {
  createBucket: "BucketOptions",
  exitBucket: "Exit",
  incrementKey: "Increment",
  runBatch: "Batch",
  runTransaction: "Transaction",
};

function faultsOfBody(id: string, json: unknown): readonly string[] {
  switch (id) {
    case "createBucket": {
      const { metadata } = json as { metadata?: unknown };
      return isSmallMetadata(metadata) ? [] : ["metadata_too_large"];
    }
    case "exitBucket":
      return isReason((json as { reason: string }).reason) ? [] : ["reason_invalid"];
    case "incrementKey":
      return faultsOfLifetime(json as Lifetime);
    case "runBatch":
      return faultsOfOperations(json as BucketOperation[]);
    case "runTransaction":
      return faultsOfTransaction(json as Transaction);
    default:
      return [];
  }
}

/** As {@link faultsOfBody}, of what may have any shape. */
function otherFaults(id: string, json: unknown): readonly string[] {
  try {
    return faultsOfBody(id, json);
  } catch (error) {
    if (error instanceof TypeError) return [];
    throw error;
  }
}

function has(operation: Operation | undefined, name: string): boolean {
  return operation?.parameters.some((one) => one.in === "header" && one.name === name) === true;
}

function matches(template: readonly string[], parts: readonly string[]): boolean {
  if (template.length !== parts.length) return false;
  return template.every((piece, index) => {
    const part = parts[index] ?? "";
    if (!piece.startsWith("{")) return piece === part;
    // An empty key is told so by its endpoint, where the path ends with it.
    return part !== "" || (piece === "{key}" && index === template.length - 1);
  });
}

/** As a query's text is read: what does not look like the kind that is expected stays text. */
function typed(type: unknown, text: string): unknown {
  if ((type === "number" || type === "integer") && /^-?\d{1,15}(?:\.\d+)?$/.test(text)) return Number(text);
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** What a cursor, or a key in the query, is in base64url. */
export function decoded64(text: string): string | undefined {
  if (!/^[\w-]*={0,2}$/.test(text) || text.replaceAll("=", "").length % 4 === 1) return undefined;
  return textOf(Buffer.from(text, "base64url"));
}

/** A byte order mark may stand before JSON. */
export function parsed(bytes: Buffer): { readonly value: unknown } | undefined {
  const text = textOf(bytes)?.replace(/^\uFEFF/, "");
  try {
    return text === undefined ? undefined : { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function isAhead(time: string): boolean {
  const ahead = Date.parse(time) - Date.now();
  return ahead > 0 && ahead <= MAX_TTL_SECONDS * 1_000;
}
