/** Calls about one key: an HTTP request each, or, in a session, a batch of one operation. */

import { unexpectedAnswer } from "./answers.ts";
import { isLargerThan } from "./byte-length.ts";
import { splitOptions } from "./call-options.ts";
import type { Caller } from "./caller.ts";
import type { Codec } from "./codecs.ts";
import { KvError, TooLargeError } from "./errors.ts";
import type { FirstWrite } from "./first-write.ts";
import type { HttpKeys } from "./http-keys.ts";
import type {
  CallOptions,
  Conditions,
  Entry,
  Incremented,
  IncrementOptions,
  OnceOptions,
  Operation,
  Properties,
  Result,
  Written,
} from "./types.ts";
import { encodeWith, operationToJson, resultsOf } from "./wire.ts";

/** Largest value, in bytes, that a batch or session can carry. A larger one has a request of its own. */
const MAX_BATCHED_VALUE_BYTES = 1_048_576;

export interface OneKeyContext {
  readonly keys: HttpKeys;
  readonly caller: Caller;
  readonly codec: Codec;
  readonly firstWrite: FirstWrite;
  readonly inSession: boolean;
}

export class OneKey {
  readonly #context: OneKeyContext;

  constructor(context: OneKeyContext) {
    this.#context = context;
  }

  has(key: string, options: CallOptions): Promise<boolean> {
    const { keys, firstWrite } = this.#context;
    return firstWrite.reading(() => keys.has(key, options), false);
  }

  async entry(key: string, options: CallOptions): Promise<Entry | undefined> {
    const { keys, firstWrite, inSession } = this.#context;
    const overHttp = () => firstWrite.reading(() => keys.get(key, options), undefined);
    if (!inSession) return overHttp();
    const result = await firstWrite.reading(() => this.#run({ op: "get", key }, options), undefined);
    const entry = result && entryOf(result);
    // The value is too large for a batch: read it with a request of its own.
    return entry !== undefined && entry.value === undefined ? overHttp() : entry;
  }

  async put(key: string, value: unknown, options: Properties & Conditions & CallOptions): Promise<Written> {
    const { keys, codec, firstWrite, inSession } = this.#context;
    const encoded = encodeWith(codec, value);
    if (!inSession || isLargerThan(MAX_BATCHED_VALUE_BYTES, encoded)) {
      return firstWrite.creating((attempt) => keys.put(key, encoded, { ...options, ...attempt }), options);
    }
    const { call, rest } = splitOptions(options);
    const operation: Operation = { op: "put", key, value, ...rest };
    // The value is encoded already, and checked by a schema if there is one.
    const once: Codec = { ...codec, encode: () => encoded };
    const run = (attempt: CallOptions) => this.#run(operation, attempt, once);
    const result = (await firstWrite.creating(run, call)) as Written;
    const { created, revision, etag } = result;
    return { created, revision, etag };
  }

  async delete(key: string, options: Conditions & CallOptions): Promise<boolean> {
    const { rest } = splitOptions(options);
    const operation: Operation = { op: "delete", key, ...rest };
    const result = await this.#ending((attempt) => this.#run(operation, attempt), options);
    return result?.op === "delete" && result.deleted;
  }

  getAndDelete(key: string, options: Conditions & CallOptions): Promise<Entry | undefined> {
    const { keys, inSession } = this.#context;
    const overHttp = (attempt: CallOptions) => keys.getAndDelete(key, { ...options, ...attempt });
    const overSession = async (attempt: CallOptions): Promise<Entry | undefined> => {
      const { rest } = splitOptions(options);
      try {
        return entryOf(await this.#run({ op: "getAndDelete", key, ...rest }, attempt));
      } catch (error) {
        // It was not deleted: a request of its own carries a value of any size.
        if (error instanceof TooLargeError) return overHttp(attempt);
        throw error;
      }
    };
    return this.#ending(inSession ? overSession : overHttp, options);
  }

  async increment(
    key: string,
    options: IncrementOptions & Conditions & OnceOptions & CallOptions,
  ): Promise<Incremented> {
    const { keys, firstWrite, inSession } = this.#context;
    const { idempotencyKey, ...given } = options;
    if (!inSession || idempotencyKey !== undefined) {
      return firstWrite.creating((attempt) => keys.increment(key, { ...options, ...attempt }), options);
    }
    const { call, rest } = splitOptions(given);
    const operation: Operation = { op: "increment", key, ...rest };
    const result = (await firstWrite.creating(
      (attempt) => this.#run(operation, attempt),
      call,
    )) as Incremented;
    const { value, created, revision, etag } = result;
    return { value, created, revision, etag };
  }

  /** Carries out what ends an entry. A missing bucket has none; only a key that has to match needs one. */
  #ending<T>(
    work: (call: CallOptions) => Promise<T>,
    options: Conditions & CallOptions,
  ): Promise<T | undefined> {
    const { firstWrite } = this.#context;
    return options.ifMatch === undefined
      ? firstWrite.reading(() => work(splitOptions(options).call), undefined)
      : firstWrite.creating(work, options);
  }

  async #run(operation: Operation, options: CallOptions, codec = this.#context.codec): Promise<Result> {
    const { caller } = this.#context;
    const json = await caller.batch([operationToJson<Record<string, unknown>>(operation, codec)], options);
    const [result] = resultsOf(json, 1, codec);
    if (result instanceof KvError) throw result;
    if (result?.op !== operation.op)
      throw unexpectedAnswer(`it is about another operation than ${operation.op}.`);
    return result;
  }
}

/** The entry of a result that has one. */
function entryOf(result: Result): Entry | undefined {
  if (!("found" in result) || !result.found) return undefined;
  const { op: _, found: __, ...entry } = result;
  return entry;
}
