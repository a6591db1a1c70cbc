/** unstorage's driver methods, implemented on a bucket. */

import type { Bucket } from "../client/bucket.ts";
import { bytes, text, type Codec } from "../client/codecs.ts";
import { pause } from "../client/deadline.ts";
import { BucketDownError, BucketNotFoundError, RevisionCompactedError } from "../client/errors.ts";
import type { WatchOptions } from "../client/types.ts";
import { getMany, putMany } from "../client/many.ts";
import { clientOf, invalid } from "./reach.ts";
import type { Driver, DurableKvDriverOptions, ItemOptions } from "./types.ts";

/**
 * A driver for unstorage 1 and 2 on a bucket. In a Worker it reaches the service by its binding:
 * `durableKvDriver({ binding: env.KV, bucket: "cache" })`.
 *
 * The bucket need not exist: reads find nothing, and the first write creates it. A `ttl` is in seconds. Raw items are
 * bytes. `watch` reports the changes of all clients. Methods throw a `KvError`.
 * @throws TypeError for invalid options; its `code` is `options_invalid`, or one of `new Kv`
 * @example
 * ```ts
 * const storage = createStorage({ driver: durableKvDriver({ url, bucket: "items" }) });
 * await storage.setItem("work:monday", { hours: 7 }, { ttl: 3_600 });
 * console.log(await storage.getItem("work:monday")); // { hours: 7 }
 * ```
 */
export function durableKvDriver(options: DurableKvDriverOptions): Driver {
  const { bucket: name, base = "", create = true, ttl, onError = console.error } = options;
  if (typeof base !== "string") throw invalid("base has to be text.");
  const kv = clientOf(options);
  const open = <Value>(codec: Codec<Value>) => kv.bucket(name, { codec, create, ttl });
  // Of whatever content type: unstorage makes values of the text.
  const texts = open(text);
  const raws = open(bytes);
  // Creates nothing: a bucket that was stopped comes back with the next write, and not because it is watched.
  const next = kv.bucket(name, { codec: text });
  const prefix = base === "" || base.endsWith(":") ? base : `${base}:`;
  const keyOf = (key: string): string => prefix + key;
  const watches = new Set<() => Promise<void>>();

  return {
    name: "durable-kv",
    options,
    flags: { ttl: true },
    getInstance: () => kv,
    hasItem: (key) => texts.has(keyOf(key)),
    getItem: async (key) => (await texts.get(keyOf(key))) ?? null,
    async getItems(items) {
      const values = await getMany(
        texts,
        items.map(({ key }) => keyOf(key)),
      );
      return items.map(({ key }) => ({ key, value: values.get(keyOf(key)) ?? null }));
    },
    getItemRaw: async (key) => (await raws.get(keyOf(key))) ?? null,
    async setItem(key, value, given) {
      await texts.put(keyOf(key), value, lifetimeOf(given));
    },
    async setItems(items, common) {
      await putMany(
        texts,
        items.map(({ key, value, options: own }) => ({
          key: keyOf(key),
          value,
          ...lifetimeOf({ ...common, ...own }),
        })),
      );
    },
    async setItemRaw(key, value, given) {
      const raw = await readWhole(value);
      if (typeof raw === "string") await texts.put(keyOf(key), raw, lifetimeOf(given));
      // Bytes of any kind; the codec refuses everything else.
      else await raws.put(keyOf(key), raw as Uint8Array, lifetimeOf(given));
    },
    async removeItem(key) {
      await texts.delete(keyOf(key));
    },
    async getMeta(key) {
      // The key itself is the first of those that begin with it, and the value is not transferred.
      for await (const entry of texts.list({ prefix: keyOf(key), limit: 1 })) {
        if (entry.key !== keyOf(key)) break;
        const { modified, size, expires } = entry;
        return {
          ...(modified === undefined ? {} : { mtime: modified }),
          ...(size === undefined ? {} : { size }),
          ...(expires === undefined ? {} : { ttl: Math.ceil((expires.getTime() - Date.now()) / 1_000) }),
        };
      }
      return null;
    },
    async getKeys(under = "") {
      const keys: string[] = [];
      for await (const { key } of texts.list({ prefix: keyOf(under) })) keys.push(key.slice(prefix.length));
      return keys;
    },
    async clear(under = "") {
      await texts.deleteRange({ prefix: keyOf(under) });
    },
    async dispose() {
      await Promise.all([...watches].map((stop) => stop()));
    },
    async watch(callback) {
      const end = new AbortController();
      let following: Promise<void> | undefined;
      const report = (event: "update" | "remove", key: string): void => {
        try {
          callback(event, key);
        } catch (error) {
          onError(error); // the listener's own: the watch goes on
        }
      };
      // unstorage takes it for granted that changes from now on arrive.
      await new Promise<void>((opened, failed) => {
        const how = { prefix, signal: end.signal, onOpen: opened };
        following = follow(texts, next, how, report).catch((error: unknown) => {
          if (end.signal.aborted) return;
          failed(error);
          onError(error);
        });
      });
      const stop = async (): Promise<void> => {
        watches.delete(stop);
        end.abort();
        await following;
      };
      watches.add(stop);
      return stop;
    },
  };
}

/** Milliseconds between two looks for the next bucket of a name: at first, and at most. */
const LOOK_MS = { first: 50, most: 2_000 };

interface Following {
  readonly prefix: string;
  readonly signal: AbortSignal;
  readonly onOpen: () => void;
}

/**
 * Reports changes until the signal is aborted. If the bucket ends, it waits for the next one of its name, which it does not
 * create, and reports all that was written to it: at the worst, if that is no longer known, what is in it.
 */
async function follow(
  first: Bucket<Record<string, string>>,
  next: Bucket<Record<string, string>>,
  { prefix, signal, onOpen }: Following,
  report: (event: "update" | "remove", key: string) => void,
): Promise<void> {
  let watched = first;
  let from: Pick<WatchOptions, "since" | "snapshot"> = {};
  let looks = 0;
  const opened = (): void => {
    looks = 0;
    onOpen();
  };
  for (;;) {
    try {
      for await (const change of watched.watch({ prefix, values: false, signal, onOpen: opened, ...from })) {
        if (!("key" in change)) continue;
        const isGone = change.event === "delete" || change.event === "expired";
        report(isGone ? "remove" : "update", change.key.slice(prefix.length));
      }
    } catch (error) {
      if (error instanceof RevisionCompactedError) {
        from = { snapshot: true };
        continue;
      }
      if (!(error instanceof BucketDownError || error instanceof BucketNotFoundError)) throw error;
      onOpen(); // where nothing may create the bucket: all that will be written to it is reported
    }
    watched = next;
    from = { since: 0 };
    await pause(Math.min(LOOK_MS.first * 2 ** looks, LOOK_MS.most), signal);
    looks += 1;
  }
}

function lifetimeOf({ ttl }: ItemOptions = {}): ItemOptions {
  return ttl === undefined ? {} : { ttl };
}

/** A blob or a stream in memory; any other value as it is. */
async function readWhole(value: unknown): Promise<unknown> {
  if (!(value instanceof Blob) && !(value instanceof ReadableStream)) return value;
  return new Response(value as BodyInit).arrayBuffer();
}
