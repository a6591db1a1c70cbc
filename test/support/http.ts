/** Requests for tests, straight to the Worker. */

import { exports } from "cloudflare:workers";
import { expect } from "vitest";

export const BASE = "http://localhost/v1/buckets";

/** Asks for a path behind `/v1/buckets/`. */
export function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return exports.default.fetch(new Request(`${BASE}/${path}`, init));
}

export function put(path: string, body: BodyInit = "1", headers: HeadersInit = {}): Promise<Response> {
  return ask(path, { method: "PUT", body, headers });
}

export function post(path: string, json: unknown, headers: HeadersInit = {}): Promise<Response> {
  return ask(path, { method: "POST", body: JSON.stringify(json), headers });
}

/** Creates a bucket. @returns its name, which has no blanks */
export async function bucket(title: string): Promise<string> {
  const name = title.replaceAll(" ", "-");
  await ask(name, { method: "PUT" });
  return name;
}

/** Whether a body has these bytes: told shortly, because they may be many. */
export async function hasBytes(response: Response, expected: Uint8Array): Promise<boolean> {
  const got = new Uint8Array(await response.arrayBuffer());
  return got.byteLength === expected.byteLength && got.every((byte, at) => byte === expected[at]);
}

/** The code of a problem, which has to be one. */
export async function codeOf(response: Response): Promise<string> {
  expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  return (await response.json<{ readonly code: string }>()).code;
}

export async function jsonOf<T = Record<string, unknown>>(response: Response): Promise<T> {
  expect([200, 201]).toContain(response.status);
  expect(response.headers.get("Content-Type")).toBe("application/json");
  return (await response.json()) as T;
}
