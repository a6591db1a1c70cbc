/** A list, read page by page, as far as it is iterated. */

import { splitOptions } from "./call-options.ts";
import type { Caller } from "./caller.ts";
import type { Codec } from "./codecs.ts";
import { describeValue } from "./describe-value.ts";
import type { FirstWrite } from "./first-write.ts";
import { invalidRequest } from "./options.ts";
import type { ListOptions } from "./types.ts";
import { listedOf, pageOf } from "./wire.ts";

const NO_KEYS: ReturnType<typeof pageOf> = { keys: [] };

/** See {@link Bucket.list}. */
export async function* pages<Item>(
  options: ListOptions,
  caller: Caller,
  codec: Codec,
  firstWrite: FirstWrite,
): AsyncGenerator<Item, void, void> {
  const { call, rest } = splitOptions(options);
  const { limit = Infinity, ...query } = rest;
  if (typeof limit !== "number" || !(limit >= 0)) {
    throw invalidRequest(
      "query_invalid",
      `list: limit has to be a number from 0 on, and not ${describeValue(limit)}.`,
    );
  }
  let { cursor } = options;
  for (let left = limit; left > 0;) {
    const asked = { ...query, limit: Math.min(left, 1_000), ...(cursor !== undefined && { cursor }) };
    const read = async (): Promise<typeof NO_KEYS> => pageOf(await caller.list(asked, call));
    // Only at the first page: a list that was begun is not complete because its bucket has ended.
    const page = await (cursor === undefined ? firstWrite.reading(read, NO_KEYS) : read());
    for (const json of page.keys) yield listedOf(json, codec) as Item;
    left -= page.keys.length;
    cursor = page.cursor;
    if (cursor === undefined) return;
  }
}
