/** Calls about many keys: list, and delete by prefix or range. */

import { decodeKeyCursor } from "../model/cursor.ts";
import { KvError } from "../model/errors.ts";
import { MAX_PAGE } from "../model/limits.ts";
import { checkQuery } from "../schema/check.ts";
import { ListQuery, RangeQuery } from "../schema/requests.ts";
import type { Context } from "./context.ts";
import { jsonText } from "./json-text.ts";
import { respond } from "./respond-async.ts";

/** `GET …/keys?prefix&start&end&reverse&values&cursor&limit`: keys in order, with what is kept beside them. */
export async function listKeys(_request: Request, { target, bucket }: Context): Promise<Response> {
  const { cursor, limit = MAX_PAGE, ...query } = checkQuery(ListQuery, target.query);
  return jsonText(await bucket.list({ ...query, ...decodeKeyCursor(cursor), limit }));
}

/** `DELETE …/keys?prefix&start&end`: deletes all keys of the range. */
export async function deleteKeys(request: Request, context: Context): Promise<Response> {
  const { target, bucket } = context;
  const range = checkQuery(RangeQuery, target.query);
  if (Object.keys(range).length === 0) {
    throw new KvError(
      "query_invalid",
      "Say which keys: ?prefix=, ?start= or ?end=. An empty prefix, ?prefix=, stands for all of them.",
    );
  }
  return respond(request, context, async () => Response.json({ deleted: await bucket.deleteRange(range) }));
}
