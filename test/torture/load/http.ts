/** Requests over HTTP, whose outcome may be unknown. */

import { setTimeout as pause } from "node:timers/promises";
import type { Target } from "../faults/target.ts";

/** Milliseconds after which an answer is given up. */
export const TIMEOUT_MS = 8_000;

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly etag: string;
  /** The stable code of an error; empty without one. */
  readonly code: string;
}

export interface Asked {
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @returns undefined if the outcome is unknown: no answer, or one that says so */
export async function ask(
  target: Target,
  method: string,
  path: string,
  { body, headers = {} }: Asked = {},
): Promise<Answer | undefined> {
  await target.up;
  try {
    const response = await fetch(`${target.url}${path}`, {
      method,
      headers,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    // Errors of the server leave it unknown: those that do not are so few that nothing is lost by it.
    if (response.status >= 500 || response.status === 429) return undefined;
    const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json") === true;
    const code = isProblem ? (JSON.parse(text) as { code: string }).code : "";
    return { status: response.status, text, etag: response.headers.get("ETag") ?? "", code };
  } catch {
    return undefined;
  }
}

/** The answer is not one that the service may give; the torture counts it as a violation. */
export class Impossible extends Error {}

/** Asks until there is an answer, for what may be done twice. @throws {Impossible} if it is refused */
export async function insist(
  target: Target,
  method: string,
  path: string,
  asked: Asked = {},
): Promise<Answer> {
  for (;;) {
    const answer = await ask(target, method, path, asked);
    if (answer !== undefined && answer.status < 300) return answer;
    if (answer !== undefined) throw new Impossible(`${method} ${path}: ${answer.status} ${answer.text}`);
    await pause(50);
  }
}

/** Creates a bucket that is not there yet, however often that takes. @throws {Impossible} */
export async function createBucket(target: Target, name: string): Promise<void> {
  await insist(target, "PUT", `/v1/buckets/${name}`);
}
