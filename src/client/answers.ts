/** Checks that a response is this service's own, and not one of a proxy, a captive portal or another service. */

import type { HttpResponse } from "./http-response.ts";
import { KvError } from "./errors.ts";
import { parseJson } from "./exact-json.ts";

/** Expected type of a member. `integer` is a number, or a string of digits where it is beyond 2^53. */
type Kind = "array" | "boolean" | "integer" | "number" | "string";
/** Members that a response must have. It may have others as well. */
export type Shape<T> = { readonly [Member in keyof T]?: Kind };

/**
 * The error for a response that is not the service's. Whether the request reached the service is unknown.
 * @param status the response's HTTP status; 0 on a WebSocket
 */
export function unexpectedAnswer(why: string, status = 0, retryAfterMs?: number): KvError {
  const message = `The response is not from this service: ${why}`;
  return new KvError("unexpected_answer", message, { status, retryAfterMs });
}

/** @throws {KvError} `unexpected_answer` if the body is not JSON */
export async function readJsonBody(response: HttpResponse): Promise<unknown> {
  return parseAnswer(await response.text(), response.status);
}

/** @throws {KvError} `unexpected_answer` */
export function parseAnswer(text: string, status = 0): unknown {
  try {
    // Not JSON.parse: metadata may contain integers beyond 2^53.
    return parseJson(text);
  } catch {
    throw unexpectedAnswer("the body is not JSON.", status);
  }
}

/** @returns a function that reads a response as JSON of this shape @throws {KvError} `unexpected_answer` */
export function readShape<T>(shape: Shape<T>): (response: HttpResponse) => Promise<T> {
  return async (response) => checkShape(await readJsonBody(response), shape, response.status);
}

/** @throws {KvError} `unexpected_answer` if `json` is not an object with these members */
export function checkShape<T>(json: unknown, shape: Shape<T>, status = 0): T {
  if (typeof json !== "object" || json === null)
    throw unexpectedAnswer("the body is not a JSON object.", status);
  const members = json as Readonly<Record<string, unknown>>;
  for (const [name, kind] of Object.entries<Kind | undefined>(shape)) {
    if (!is(members[name], kind))
      throw unexpectedAnswer(`its member ${name} is missing or has another type.`, status);
  }
  return json as T;
}

/** For responses without a body. @returns a function that checks the status @throws {KvError} `unexpected_answer` */
export function expectStatus(status: number): (response: HttpResponse) => Promise<true> {
  return async (response) => {
    if (response.status === status) return true;
    throw unexpectedAnswer(`its status is ${response.status}, not ${status}.`, response.status);
  };
}

export interface Version {
  readonly revision: number;
  readonly etag: string;
}

/** Reads an entry's version from the response headers. @throws {KvError} `unexpected_answer` */
export function versionOf({ headers, status }: HttpResponse): Version {
  // The service sends strong etags. A proxy that compresses responses makes them weak.
  const etag = (headers.get("ETag") ?? "").replace(/^W\//, "").replaceAll('"', "");
  const revision = headers.get("KV-Revision");
  if (etag === "") throw unexpectedAnswer(`its status is ${status}, and it has no ETag header.`, status);
  if (revision === null)
    throw unexpectedAnswer(`its status is ${status}, and it has no KV-Revision header.`, status);
  return { revision: Number(revision), etag };
}

/** Resolves to undefined if the request fails with this error code, such as `key_not_found`. */
export async function undefinedFor<T>(code: string, answered: Promise<T>): Promise<T | undefined> {
  try {
    return await answered;
  } catch (error) {
    if (error instanceof KvError && error.code === code) return undefined;
    throw error;
  }
}

function is(value: unknown, kind: Kind | undefined): boolean {
  if (kind === "array") return Array.isArray(value);
  if (kind === "integer") return typeof value === "number" || /^-?\d+$/.test(String(value));
  return typeof value === kind;
}
