/** `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header). */

import type { Idempotency } from "../bucket/idempotency.ts";
import { idempotencyKey } from "../limits.ts";
import type { Target } from "./target.ts";

/** The request's key, and what tells it from another request with the same key: its path, query and body. */
export async function idempotencyOf(
  request: Request,
  { path, query }: Target,
  body: ArrayBuffer,
): Promise<Idempotency | undefined> {
  const key = request.headers.get("Idempotency-Key");
  if (key === null) return undefined;
  const text = new TextEncoder().encode(`${request.method} ${path}?${query.toString()}\n`);
  const digest = await crypto.subtle.digest("SHA-256", await new Blob([text, body]).arrayBuffer());
  return { key: idempotencyKey(key), fingerprint: new Uint8Array(digest).toBase64() };
}

/** Tells the sender that this was done before. */
export function replayHeader(replayed: boolean): Record<string, string> {
  return replayed ? { "Idempotency-Replayed": "true" } : {};
}
