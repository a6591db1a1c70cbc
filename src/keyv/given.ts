/** What the store is given: refused where it can't be meant, so that nothing lives for ever, or shorter, by mistake. */

import { Kv } from "../client/kv.ts";
import { checkMembers, checkOptions, invalidRequest, type Rules } from "../client/options.ts";
import { checkedKey } from "../client/paths.ts";
import { isPlain } from "../client/json-text.ts";
import { describeValue } from "../client/describe-value.ts";
import type { BucketOptions } from "../client/types.ts";
import type { KeyvDurableKvOptions, Setting } from "./types.ts";

/** Ten years, the longest time to live that the service takes. Beyond it is for ever. */
const LONGEST_TTL_MS = 315_360_000_000;

const TTL: Rules = {
  ttl: (given) =>
    typeof given === "number" && !Number.isNaN(given)
      ? undefined
      : "has to be a number of milliseconds, or Infinity or undefined, which are for ever",
};
/** The key is checked beside, and the value by its codec. */
const SETTING: Rules = { key: () => undefined, value: () => undefined, ...TTL };

/** @throws {TypeError} with the code `options_invalid`, or as `new Kv` does */
export function optionsOf(options: KeyvDurableKvOptions): {
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
  // By what it can do: a program may have this package twice.
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
  for (const entry of listed(entries, "Entries")) checkMembers(entry, SETTING, "An entry of setMany");
  for (const { key } of entries) checkedKey(key);
}

/** @throws {InvalidRequestError} `options_invalid`, `key_invalid` */
export function checkKeys(keys: readonly string[]): void {
  for (const key of listed(keys, "Keys")) checkedKey(key as string);
}

/** @param what they are, as a sentence begins with it */
function listed(given: unknown, what: string): readonly unknown[] {
  if (Array.isArray(given)) return given;
  throw invalidRequest("options_invalid", `${what} have to be an array, and not ${describeValue(given)}.`);
}

/** Whether what is set is over at once. */
export function isOver(ttl: number | undefined): boolean {
  return ttl !== undefined && ttl <= 0;
}

/** As the service takes it; undefined for what lives for ever. */
export function ttlSeconds(ttl: number | undefined): number | undefined {
  return ttl === undefined || ttl > LONGEST_TTL_MS ? undefined : Math.ceil(ttl) / 1_000;
}

function invalid(why: string, cause?: unknown): TypeError {
  return Object.assign(new TypeError(why, { cause }), { code: "options_invalid" });
}
