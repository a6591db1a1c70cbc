/** A client of a service that answers as it is told. */

import { Kv, type KvOptions } from "../../../src/client/index.ts";

export type Answer = Response | "break" | "hang";

/** Its `fetch` answers in turn, and says what it was asked; when it is told no more, the connection breaks. */
export function scripted(...answers: readonly Answer[]) {
  return scriptedWith({}, ...answers);
}

export function scriptedWith(options: Partial<KvOptions>, ...answers: readonly Answer[]) {
  const asked: { readonly url: string; readonly init: RequestInit }[] = [];
  const fetch = (url: string, init: RequestInit): Promise<Response> => {
    const answer = answers[asked.length];
    asked.push({ url, init });
    if (answer === "hang") {
      return new Promise((_, reject) => {
        init.signal?.addEventListener("abort", () => reject(init.signal?.reason as Error));
      });
    }
    return answer === undefined || answer === "break"
      ? Promise.reject(new TypeError("fetch failed"))
      : Promise.resolve(answer);
  };
  return { asked, kv: new Kv({ url: "http://kv.test", fetch, retryBaseMs: 0, ...options }) };
}

export const problem = (status: number, code: string): Response =>
  Response.json(
    { code, status, detail: "as told" },
    { status, headers: { "Content-Type": "application/problem+json" } },
  );

/** A value, as a GET of its key has it. */
export const value = (json: unknown): Response =>
  Response.json(json, { headers: { ETag: '"i-1"', "KV-Revision": "1" } });

export const events = (body: string | ReadableStream): Response =>
  new Response(body, { headers: { "Content-Type": "text/event-stream" } });
