/** The requests with which the description of the API is tried: how each is written down. */

/** What is asked for, how, and the answer's status. */
export type Ask = readonly [path: string, init: RequestInit, status: number];

/** By the operation's name: where it is, and what is asked of it, in this order. */
export type Asks = readonly (readonly [operation: string, path: string, asks: readonly Ask[]])[];

export const ASYNC = { Prefer: "respond-async" };
export const TOMORROW = new Date(Date.now() + 86_400_000).toISOString();
/** A key that is too long. */
export const LONG = "k".repeat(1_025);
/** A body that is too large. */
export const LARGE = new Uint8Array(25 * 1_048_576 + 1);
export const MEBIBYTE = "x".repeat(1_048_576);
/** A POST of JSON. */
export const json = (value: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  body: JSON.stringify(value),
  headers,
});
export const put = (headers: Record<string, string> = {}, body: BodyInit = "1"): RequestInit => ({
  method: "PUT",
  body,
  headers,
});
export const get = (headers: Record<string, string> = {}): RequestInit => ({ headers });
export const remove = (headers: Record<string, string> = {}): RequestInit => ({ method: "DELETE", headers });
export const HEAD: RequestInit = { method: "HEAD" };
export const POST: RequestInit = { method: "POST" };
export const EVERY_OPERATION = [
  { op: "get", key: "full" },
  { op: "get", key: "bytes" },
  { op: "get", key: "nothing" },
  { op: "put", key: "batched", json: { a: 1 }, ttl: 60, metadata: null },
  { op: "increment", key: "batched-count", by: "9007199254740993" },
  { op: "getAndDelete", key: "batched" },
  { op: "getAndDelete", key: "nothing" },
  { op: "delete", key: "batched" },
];
