/** Requests of a session: JSON messages on a WebSocket of one bucket. */

import * as z from "zod/mini";
import { KvError } from "../model/errors.ts";
import { MAX_OPERATIONS } from "../model/limits.ts";
import { elementsOf } from "./check.ts";
import { membersOf, type Element } from "./exact-json.ts";
import { BatchJson, once, TransactionJson, type OperationJson } from "./operations.ts";
import { isPlainBatch } from "./plain.ts";
import { ListKeysQuery } from "./requests.ts";

const id = z.int().check(z.gte(0), z.describe("The response has the same id."));

/** One request. Responses come in the order of the requests. */
export const SessionRequestJson = z
  .union(
    [
      z.strictObject({ id, batch: BatchJson }),
      z.strictObject({ id, transaction: TransactionJson, ...once }),
      z.strictObject({ id, list: ListKeysQuery }),
    ],
    "A request has one of `batch`, `transaction` and `list`",
  )
  .check(z.meta({ id: "SessionRequest" }));
export type SessionRequestJson = z.output<typeof SessionRequestJson>;

/**
 * The operations of a request that is a batch of the most frequent forms, as most requests are; undefined if it is
 * another one, or invalid.
 */
export function plainBatchOf(request: object): readonly OperationJson[] | undefined {
  const { batch, ...others } = request as { readonly id: unknown; readonly batch?: unknown };
  for (const name in others) if (name !== "id") return undefined;
  return isPlainBatch(batch) ? batch : undefined;
}

/** One request of a message, or the error in it. An id of null means that the request's id could not be read. */
export type Received =
  { readonly id: number; readonly request: object } | { readonly id: number | null; readonly error: KvError };

/**
 * The requests of a message. An error in one request does not affect the others.
 * @throws {KvError} `body_invalid` if the message is not a list, or has more than {@link MAX_OPERATIONS} requests
 */
export async function requestsOf(message: ArrayBuffer | string): Promise<Received[]> {
  const elements = await elementsOf(message, MAX_OPERATIONS);
  if (elements === undefined) {
    throw new KvError("body_invalid", `A message is a list of at most ${MAX_OPERATIONS} requests.`);
  }
  const requests: Received[] = [];
  for (const element of elements) requests.push(await receivedOf(element));
  return requests;
}

async function receivedOf(element: Element): Promise<Received> {
  if ("error" in element) return { id: await idOfText(element.text), error: element.error };
  const request = element.value;
  const given = typeof request === "object" && request !== null && "id" in request ? request.id : undefined;
  if (isId(given)) return { id: given, request: request as object };
  const error = new KvError("body_invalid", "A request is an object with an id, an integer of 0 or more.");
  return { id: null, error };
}

/** The id of a request that could not be parsed, found in its text; null if there is none. */
async function idOfText(text: string): Promise<number | null> {
  const begin = text.search(/[^ \t\r\n]/);
  if (text[begin] !== "{") return null;
  let found: string | undefined;
  for await (const member of membersOf(text, begin)) found = ID.exec(member)?.[1] ?? found;
  const given = found === undefined ? undefined : Number(found);
  return isId(given) ? given : null;
}

const ID = /^[ \t\r\n]*"id"[ \t\r\n]*:[ \t\r\n]*(\d{1,16})[ \t\r\n]*$/;

function isId(given: unknown): given is number {
  return typeof given === "number" && Number.isSafeInteger(given) && given >= 0;
}
