/** Calls about many keys: list, and delete by prefix or range. */

import { removeAll } from "../directory/delete-range.ts";
import { behindKey } from "../model/cursor.ts";
import { KvError } from "../model/errors.ts";
import { MAX_PAGE } from "../model/limits.ts";
import { READ } from "../directory/directory.ts";
import { checkQuery } from "../schema/check.ts";
import { ListQuery, RangeQuery } from "../schema/requests.ts";
import { perform } from "./respond-async.ts";
import type { Context } from "./context.ts";
import { jsonText } from "./json-text.ts";
import { bucketNotFound } from "./keys.ts";

/** `GET …/keys?prefix&start&end&reverse&values&cursor&limit`: keys in order, with what is kept beside them. */
export async function listKeys(_request: Request, { directory, target }: Context): Promise<Response> {
  const name = target.bucket;
  const { cursor, limit = MAX_PAGE, ...query } = checkQuery(ListQuery, target.query);
  const place = behindKey(cursor);
  const page = await directory.call(name, (bucket) => bucket.list({ ...query, ...place, limit }), READ);
  if (page === undefined) throw bucketNotFound(name);
  return jsonText(page);
}

/** `DELETE …/keys?prefix&start&end`: deletes all keys of the range. */
export async function deleteKeys(request: Request, context: Context): Promise<Response> {
  const { directory, target } = context;
  const name = target.bucket;
  const range = checkQuery(RangeQuery, target.query);
  if (Object.keys(range).length === 0) {
    throw new KvError(
      "query_invalid",
      "Say which keys: ?prefix=, ?start= or ?end=. An empty prefix, ?prefix=, stands for all of them.",
    );
  }
  return perform(request, context, async () => {
    const deleted = await removeAll(directory.whereis(name), range);
    if (deleted === undefined) throw bucketNotFound(name);
    return Response.json({ deleted });
  });
}
