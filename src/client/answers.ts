/** The service's answers, told from those of somebody else on the way: a captive portal, a proxy, another service. */

import { KvError } from "./errors.ts";
import { parseJson } from "./exact-json.ts";

/** What a member has to be. `integer`: a number, or, beyond 2^53, its digits. */
type Kind = "array" | "boolean" | "integer" | "number" | "string";
/** The members that an answer is known by; others may be there too. */
export type Shape<T> = { readonly [Member in keyof T]?: Kind };

/** Whether the service was asked at all is not known. @param status the answer's; 0 on a WebSocket */
export function unexpected(why: string, status = 0, retryAfterMs?: number): KvError {
  const message = `The answer is not the service's: ${why}`;
  return new KvError("unexpected_answer", message, { status, retryAfterMs });
}

/** @throws {KvError} `unexpected_answer` if it is no JSON */
export async function jsonOf(response: Response): Promise<unknown> {
  return parsed(await response.text(), response.status);
}

/** @throws {KvError} `unexpected_answer` */
export function parsed(text: string, status = 0): unknown {
  try {
    // Metadata is among it, and has numbers of its own.
    return parseJson(text);
  } catch {
    throw unexpected("it is no JSON.", status);
  }
}

/** @returns what reads JSON of a shape @throws {KvError} `unexpected_answer` */
export function shapedAs<T>(shape: Shape<T>): (response: Response) => Promise<T> {
  return async (response) => shaped(await jsonOf(response), shape, response.status);
}

/** @throws {KvError} `unexpected_answer` if it is no object with such members */
export function shaped<T>(json: unknown, shape: Shape<T>, status = 0): T {
  if (typeof json !== "object" || json === null) throw unexpected("it is no JSON object.", status);
  const members = json as Readonly<Record<string, unknown>>;
  for (const [name, kind] of Object.entries<Kind | undefined>(shape)) {
    if (!is(members[name], kind)) throw unexpected(`${name} is missing, or not what it should be.`, status);
  }
  return json as T;
}

/** For answers that are their status. @returns what reads one @throws {KvError} `unexpected_answer` */
export function only(status: number): (response: Response) => Promise<true> {
  return async (response) => {
    if (response.status === status) return true;
    throw unexpected(`HTTP ${response.status}, and not ${status}.`, response.status);
  };
}

export interface Version {
  readonly revision: number;
  readonly etag: string;
}

/** What the headers of an entry's answers say of it. @throws {KvError} `unexpected_answer` */
export function versionOf({ headers, status }: Response): Version {
  // Weakened by somebody on the way, who packs what is sent; the service's own are strong.
  const etag = (headers.get("ETag") ?? "").replace(/^W\//, "").replaceAll('"', "");
  const revision = headers.get("KV-Revision");
  if (etag === "") throw unexpected(`HTTP ${status}, and no ETag.`, status);
  if (revision === null) throw unexpected(`HTTP ${status}, and no KV-Revision.`, status);
  return { revision: Number(revision), etag };
}

/** Undefined where the service says that there is none, by a code. */
export async function orUndefined<T>(code: string, answered: Promise<T>): Promise<T | undefined> {
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
