/** Asks an engine at its port for other nodes whether it is ready: it serves, holds its lease, and is not stopping. */

import type { NodeState } from "./node-state.ts";

const TIMEOUT_MS = 2_000;

/** Whether the node of this process is ready. */
export async function isReady(state: NodeState): Promise<boolean> {
  const { peerAddress } = state;
  return state.serves && !state.isDraining && peerAddress !== undefined && askReady(peerAddress);
}

/** @param address `host:port` of a node for other nodes @returns false also if there is no answer */
export async function askReady(address: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${address}/ready`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
