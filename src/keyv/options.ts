/** Checks the store's arguments, so that a wrong ttl does not silently become an endless or a shorter lifetime. */

import { Kv } from "../client/kv.ts";
import { checkMembers, checkOptions, invalidRequest, type Rules } from "../client/options.ts";
import { checkedKey } from "../client/paths.ts";
import { isPlain } from "../client/stringify-json.ts";
import { describeValue } from "../client/describe-value.ts";
import type { BucketOptions } from "../client/types.ts";
import type { KeyvDurableKvOptions, Setting } from "./types.ts";

/** The service's longest time to live: ten years, in milliseconds. Anything longer is stored without expiry. */
const LONGEST_TTL_MS = 315_360_000_000;

const TTL: Rules = {
  ttl: (given) =>
    typeof given === "number" && !Number.isNaN(given)
      ? undefined
      : "has to be a number of milliseconds, or Infinity or undefined for no expiry",
};
/** Rules for an entry of `setMany`. The key is checked by `checkedKey`, and the value by the codec. */
const SETTING: Rules = { key: () => undefined, value: () => undefined, ...TTL };

/** @throws {TypeError} `code` is `options_invalid`, or one of `new Kv` */
export function checkedOptions(options: KeyvDurableKvOptions): {
  readonly bucket: string;
  readonly create: BucketOptions;
  readonly kv: Kv;
} {
  if (!isPlain(options)) {
    throw invalid(`new KeyvDurableKv takes its options as an object, and not ${describeValue(options)}.`);
  }
  const {
    bucket,
    create = {},
    kv,
    ...service
  } = options as Exclude<KeyvDurableKvOptions, { readonly kv: Kv }> & {
    readonly kv?: Kv;
  };
  try {
    checkOptions("create", create);
  } catch (error) {
    throw invalid((error as Error).message, error);
  }
  if (kv === undefined) return { bucket, create, kv: new Kv(service) };
  const [unknown] = Object.keys(service);
  if (unknown !== undefined) {
    throw invalid(`A store with a client takes no ${unknown}. It takes kv, bucket, create.`);
  }
  // Not instanceof: a program may load this package twice.
  if (typeof (kv as Partial<Kv> | null)?.bucket !== "function" || typeof kv.create !== "function") {
    throw invalid(`new KeyvDurableKv: kv has to be a Kv, and not ${describeValue(kv)}.`);
  }
  return { bucket, create, kv };
}

/** @throws {InvalidRequestError} `options_invalid` */
export function checkTtl(ttl: number | undefined): void {
  checkMembers({ ttl }, TTL, "set");
}

/** @throws {InvalidRequestError} `options_invalid`, `key_invalid` */
export function checkSettings(entries: readonly Setting[]): void {
  for (const entry of checkedArray(entries, "Entries")) checkMembers(entry, SETTING, "An entry of setMany");
  for (const { key } of entries) checkedKey(key);
}

/** @throws {InvalidRequestError} `options_invalid`, `key_invalid` */
export function checkKeys(keys: readonly string[]): void {
  for (const key of checkedArray(keys, "Keys")) checkedKey(key as string);
}

/** @param what the subject of the error's sentence */
function checkedArray(given: unknown, what: string): readonly unknown[] {
  if (Array.isArray(given)) return given;
  throw invalidRequest("options_invalid", `${what} have to be an array, and not ${describeValue(given)}.`);
}

/** Whether the time to live is zero or less, so that a set deletes the key. */
export function isExpired(ttl: number | undefined): boolean {
  return ttl !== undefined && ttl <= 0;
}

/** The time to live in seconds, as the service expects it; undefined for no expiry. */
export function ttlSeconds(ttl: number | undefined): number | undefined {
  return ttl === undefined || ttl > LONGEST_TTL_MS ? undefined : Math.ceil(ttl) / 1_000;
}

function invalid(why: string, cause?: unknown): TypeError {
  return Object.assign(new TypeError(why, { cause }), { code: "options_invalid" });
}
