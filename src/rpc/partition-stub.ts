/** Stubs of registry partitions, and WebSocket upgrades on objects. */

import type { Reply } from "../otp/exit.ts";
import type { Partition } from "./partition.ts";
import type { Follow, FollowRequest, RegistryRpc, RegistryStub } from "./registry-rpc.ts";

/** The stub of a partition's object. @param partition from 0 */
export function partitionStub(
  namespace: DurableObjectNamespace<RegistryRpc>,
  partition: number,
): RegistryStub {
  return namespace.get(namespace.idFromName(`partition-${partition}`));
}

/** Opens a WebSocket that follows a partition's events; null if the log no longer has all events after the position. */
export async function followPartition(
  registry: RegistryStub,
  caller: Partition,
  follow: Follow,
): Promise<Reply<WebSocket | null>> {
  const request: FollowRequest = { caller, follow };
  const response = await registry.fetch(
    `http://registry/events?follow=${encodeURIComponent(JSON.stringify(request))}`,
    { headers: { Upgrade: "websocket" } },
  );
  return response.status === 410 ? { reply: null } : upgraded(response);
}

/** The reply of a WebSocket upgrade: the socket, or the refusal that the object sent as JSON. */
export async function upgraded(response: Response): Promise<Reply<WebSocket>> {
  const { webSocket } = response;
  return webSocket === null ? ((await response.json()) as Reply<never>) : { reply: webSocket };
}
