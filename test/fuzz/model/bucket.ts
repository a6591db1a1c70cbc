/** What a bucket has to answer: a map in memory, and the rules of docs/http.md over it. */

import { anyTime, having, Matcher } from "../support/expect.ts";
import {
  byBytes,
  integerOf,
  MAX_INTEGER,
  MAX_TTL_SECONDS,
  MAX_WHOLE_BYTES,
  MIN_INTEGER,
  textOf,
} from "./limits.ts";

export const TEXT_TYPE = "text/plain; charset=utf-8";
export const BYTES_TYPE = "application/octet-stream";

/** A request that is turned down; nothing was changed. */
export class Refused extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

export interface Lifetime {
  readonly ttl?: number | undefined;
  readonly expires?: string | undefined;
}

/** When an entry expires, in milliseconds since the epoch: exactly then, or about then until an answer has told. */
interface Expiry {
  at: number;
  exact: boolean;
}

export interface Entry {
  readonly value: Buffer;
  readonly type: string;
  readonly revision: number;
  /** Undefined: none. */
  readonly metadata: unknown;
  readonly expires: Expiry | undefined;
}

export interface Conditions {
  readonly ifMatch?: "*" | readonly string[] | undefined;
  readonly ifNoneMatch?: "*" | readonly string[] | undefined;
}

export interface ListQuery {
  readonly prefix?: string | undefined;
  readonly start?: string | undefined;
  readonly end?: string | undefined;
  readonly reverse?: boolean | undefined;
  readonly values?: boolean | undefined;
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

export interface Increment extends Lifetime {
  readonly by?: number | string | undefined;
  readonly initial?: number | string | undefined;
}

/** What a time may differ by that the server has taken from its own clock, in milliseconds. */
const ABOUT_MS = 60_000;

export class ModelBucket {
  /** Known when an answer has told. */
  incarnation: string | undefined;
  revision = 0;
  entries = new Map<string, Entry>();
  restart = "permanent";
  metadata: unknown;
  locationHint: string | undefined;
  /** Times that it was told to exit, and came back. */
  restarts = 0;
  /** By idempotency key: the request, and its answer. */
  remembered = new Map<string, { readonly meaning: string; readonly answer: unknown }>();

  /** An entity tag, as answers have it. */
  tag(revision: number): string | Matcher {
    if (this.incarnation !== undefined) return `${this.incarnation}-${revision}`;
    return new Matcher(`an etag of revision ${revision}`, (given) => String(given).endsWith(`-${revision}`));
  }

  /** Where a list goes on: in this bucket, and not in the next one of the name. */
  #cursor(last: string): string | Matcher {
    const place = encodeCursor(last);
    if (this.incarnation !== undefined) return `${this.incarnation}.${place}`;
    return new Matcher(`a cursor behind ${last}`, (given) => String(given).endsWith(`.${place}`));
  }

  get bytes(): number {
    let sum = 0;
    for (const [key, { value }] of this.entries) sum += Buffer.byteLength(key) + value.length;
    return sum;
  }

  holds(key: string, { ifMatch, ifNoneMatch }: Conditions): { match: boolean; noneMatch: boolean } {
    const entry = this.entries.get(key);
    const tag = entry && `${this.incarnation}-${entry.revision}`;
    const among = (tags: "*" | readonly string[]): boolean =>
      tag !== undefined && (tags === "*" || tags.includes(tag));
    return {
      match: ifMatch === undefined || among(ifMatch),
      noneMatch: ifNoneMatch === undefined || !among(ifNoneMatch),
    };
  }

  /** @throws {Refused} `precondition_failed` */
  demand(key: string, conditions: Conditions): void {
    const { match, noneMatch } = this.holds(key, conditions);
    if (!match || !noneMatch) throw new Refused("precondition_failed");
  }

  /** @throws {Refused} `expires_invalid` */
  put(
    key: string,
    value: Uint8Array,
    { type = TEXT_TYPE, metadata, ...life }: Lifetime & { type?: string; metadata?: unknown } = {},
  ): { readonly created: boolean; readonly revision: number } {
    return this.#store(key, Buffer.from(value), type, metadata, expiryOf(life));
  }

  remove(key: string): boolean {
    if (!this.entries.delete(key)) return false;
    this.revision += 1;
    return true;
  }

  /** @throws {Refused} `not_an_integer`, `increment_overflow`, `expires_invalid` */
  increment(key: string, { by = 1, initial = 0, ...life }: Increment): Record<string, unknown> {
    const entry = this.entries.get(key);
    const before = entry === undefined ? BigInt(initial) : integerOf(entry.value);
    if (before === undefined) throw new Refused("not_an_integer");
    const sum = before + BigInt(by);
    if (sum < MIN_INTEGER || sum > MAX_INTEGER) throw new Refused("increment_overflow");
    const { type, metadata, expires } = entry ?? {
      type: TEXT_TYPE,
      metadata: undefined,
      expires: expiryOf(life),
    };
    const stored = this.#store(key, Buffer.from(String(sum)), type, metadata, expires);
    const value = Number.isSafeInteger(Number(sum)) ? Number(sum) : String(sum);
    return { value, ...stored, etag: this.tag(stored.revision) };
  }

  /** Keys of a range, in the order of the query. */
  keysOf({ prefix = "", start = "", end, reverse = false, after }: ListQuery): string[] {
    const keys = [...this.entries.keys()].toSorted(byBytes).filter((key) => {
      if (!key.startsWith(prefix) || byBytes(key, start) < 0) return false;
      if (end !== undefined && byBytes(key, end) >= 0) return false;
      if (after === undefined) return true;
      return reverse ? byBytes(key, after) < 0 : byBytes(key, after) > 0;
    });
    return reverse ? keys.toReversed() : keys;
  }

  list(query: ListQuery): Record<string, unknown> {
    const { limit = 1_000, values = false } = query;
    const all = this.keysOf(query);
    const page = all.slice(0, limit);
    const last = page.at(-1);
    return {
      keys: page.map((key) => this.entryJson(key, values)),
      ...(all.length > limit && last !== undefined ? { cursor: this.#cursor(last) } : {}),
    };
  }

  entryJson(key: string, withValue: boolean): Record<string, unknown> {
    const entry = this.entries.get(key) as Entry;
    const { value, revision, type, metadata, expires } = entry;
    return {
      key,
      revision,
      etag: this.tag(revision),
      type,
      size: value.length,
      modified: anyTime,
      ...(expires === undefined ? {} : { expires: timeMatcher(expires) }),
      ...(metadata === undefined ? {} : { metadata }),
      ...(withValue && value.length <= MAX_WHOLE_BYTES ? valueJson(value) : {}),
    };
  }

  /** What `work` did is undone if it is refused. */
  whole<T>(work: () => T): T {
    const before = { entries: new Map(this.entries), revision: this.revision };
    try {
      return work();
    } catch (error) {
      Object.assign(this, before);
      throw error;
    }
  }

  #store(
    key: string,
    value: Buffer,
    type: string,
    metadata: unknown,
    expires: Expiry | undefined,
  ): { readonly created: boolean; readonly revision: number } {
    const created = !this.entries.has(key);
    this.revision += 1;
    this.entries.set(key, { value, type, metadata, expires, revision: this.revision });
    return { created, revision: this.revision };
  }
}

export function valueJson(value: Buffer): { readonly value: string } | { readonly base64: string } {
  const text = textOf(value);
  return text === undefined ? { base64: value.toString("base64") } : { value: text };
}

export function encodeCursor(key: string): string {
  return Buffer.from(key).toString("base64url");
}

/** Learns the time from the first answer that tells it. */
export function timeMatcher(expires: Expiry): Matcher {
  const what = `a time ${expires.exact ? "at" : "about"} ${new Date(expires.at).toISOString()}`;
  return new Matcher(what, (given) => {
    const at = typeof given === "string" ? Date.parse(given) : Number.NaN;
    if (expires.exact) return at === expires.at;
    if (!(Math.abs(at - expires.at) <= ABOUT_MS)) return false;
    expires.at = at;
    expires.exact = true;
    return true;
  });
}

/** An operation's or a problem's error, by its code. */
export function errorOf(code: string): Matcher {
  return having({ code });
}

function expiryOf({ ttl, expires }: Lifetime): Expiry | undefined {
  if (ttl === undefined && expires === undefined) return undefined;
  const now = Date.now();
  const at = expires === undefined ? now + Number(ttl) * 1_000 : Date.parse(expires);
  if (!(at > now && at <= now + MAX_TTL_SECONDS * 1_000)) throw new Refused("expires_invalid");
  return { at: Math.ceil(at), exact: expires !== undefined };
}
