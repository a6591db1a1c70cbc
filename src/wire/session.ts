/** What travels on a session: a WebSocket of one bucket, with requests as JSON. */

import * as z from "zod/mini";
import { MAX_OPERATIONS } from "../limits.ts";
import { BatchJson, once, TransactionJson } from "./operations.ts";
import { ListQuery } from "./requests.ts";

const id = z.int().check(z.gte(0), z.describe("Comes back with the answer."));

/** One of them; answers come in the order of the requests. */
export const SessionRequestJson = z
  .union(
    [
      z.strictObject({ id, batch: BatchJson }),
      z.strictObject({ id, transaction: TransactionJson, ...once }),
      z.strictObject({ id, list: ListQuery }),
    ],
    "A request has one of `batch`, `transaction` and `list`",
  )
  .check(z.meta({ id: "SessionRequest" }));
export type SessionRequestJson = z.output<typeof SessionRequestJson>;

/** A message. */
export const SessionMessageJson = z.array(z.looseObject({ id })).check(z.maxLength(MAX_OPERATIONS));
