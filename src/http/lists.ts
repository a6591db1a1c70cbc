/** Handlers for many keys: list, and delete a prefix or range. */

import { decodeKeyCursor } from "../model/cursor.ts";
import { KvError } from "../model/errors.ts";
import { MAX_PAGE } from "../model/limits.ts";
import { checkQuery } from "../schema/check.ts";
import { ListKeysQuery, RangeQuery } from "../schema/requests.ts";
import type { Context } from "./context.ts";
import { jsonText } from "./json-text.ts";
import { respond } from "./respond-async.ts";

/** `GET …/keys?prefix&start&end&reverse&values&cursor&limit`: lists keys in order, with their properties. */
export async function listKeys(_request: Request, { target, bucket }: Context): Promise<Response> {
  const { cursor, limit = MAX_PAGE, ...query } = checkQuery(ListKeysQuery, target.query);
  return jsonText(await bucket.list({ ...query, ...decodeKeyCursor(cursor), limit }));
}

/** `DELETE …/keys?prefix&start&end`: deletes all keys of the range. */
export async function deleteKeys(request: Request, context: Context): Promise<Response> {
  const { target, bucket } = context;
  const range = checkQuery(RangeQuery, target.query);
  if (Object.keys(range).length === 0) {
    throw new KvError(
      "query_invalid",
      "Say which keys to delete: ?prefix=, ?start= or ?end=. An empty prefix, ?prefix=, means all keys.",
    );
  }
  return respond(request, context, async () => Response.json({ deleted: await bucket.deleteRange(range) }));
}
