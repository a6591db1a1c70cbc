/** Where the engine keeps a cluster's state in the store, as of workerd 1.20261117.1. It is read, and one field is written. */

import { createHash, createHmac } from "node:crypto";

/** Leases of nodes: one JSON object each. */
export const LEASES = "v1/nodes/";
/** Objects: `v1/do/<namespace>/<id>/`, with `own.json` and the object's log and snapshots below. */
export const OBJECTS = "v1/do/";
/** Where the server keeps what the engine does not: `durable-kv/nodes/<peer address>.json`. */
export const NODES = "durable-kv/nodes/";

/** A node's lease. */
export interface Lease {
  readonly node: string;
  /** `host:port` for other nodes. */
  readonly address: string;
  /** Milliseconds of the epoch; 0: the node has left in order. */
  readonly expiresMs: number;
  readonly draining: boolean;
}

/** @returns undefined if the text is not what this version knows */
export function parseLease(text: string): Lease | undefined {
  const json = parsed(text);
  const { node, address, expires_ms: expiresMs, draining = false } = json ?? {};
  if (typeof node !== "string" || typeof address !== "string" || typeof expiresMs !== "number")
    return undefined;
  return { node, address, expiresMs, draining: draining === true };
}

/** The lease's text, expired. Only this field is changed: others hold numbers that JSON.parse would round. */
export function expired(text: string): string {
  return text.replace(/"expires_ms":\s*\d+/, '"expires_ms":0');
}

/** The node that owns an object, by its `own.json`. */
export function ownerOf(text: string): string | undefined {
  const node = parsed(text)?.["node"];
  return typeof node === "string" ? node : undefined;
}

/** Bytes of an object's id before its check sum, and of the check sum. */
const ID_BYTES = 16;

/** Whether an object's id is of this namespace: the second half of an id is a check sum, keyed by the namespace's name. */
export function isIdOf(uniqueKey: string, id: string): boolean {
  const bytes = Buffer.from(id, "hex");
  const key = createHash("sha256").update(uniqueKey).digest();
  const sum = createHmac("sha256", key).update(bytes.subarray(0, ID_BYTES)).digest();
  return bytes.length === 2 * ID_BYTES && sum.subarray(0, ID_BYTES).equals(bytes.subarray(ID_BYTES));
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const json = JSON.parse(text) as unknown;
    return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
