/** Requests over HTTP, whose outcome may be unknown. */

import type { Target } from "../faults/target.ts";

/** Milliseconds after which an answer is given up. */
const TIMEOUT_MS = 8_000;

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

/** Creates a bucket that is not there yet, however often that takes. */
export async function createBucket(target: Target, name: string): Promise<void> {
  for (;;) {
    const answer = await ask(target, "PUT", `/v1/buckets/${name}`);
    if (answer?.status === 200 || answer?.status === 201) return;
    await pause(50);
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
