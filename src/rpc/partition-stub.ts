/** The object that keeps a partition, and how to follow its events. */

import type { Reply } from "../otp/exit.ts";
import type { Partition } from "./partition.ts";
import type { Registry } from "../registry/registry.ts";

/** What a follower of events asks for. */
export interface Follow {
  /** Only this name. */
  readonly name?: string;
  /** What came after this event; from now on, if left out. */
  readonly since?: number;
}

/** What is asked of the object when a follower connects. */
export interface FollowRequest {
  readonly caller: Partition;
  readonly follow: Follow;
}

/** The object that keeps a partition. */
export function partitionStub(
  namespace: DurableObjectNamespace<Registry>,
  partition: number,
): DurableObjectStub<Registry> {
  return namespace.get(namespace.idFromName(`partition-${partition}`));
}

/** Opens a WebSocket that follows a partition's events; null where the log does not reach back so far. */
export async function followPartition(
  registry: DurableObjectStub<Registry>,
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

/** What an object answers to a WebSocket upgrade: the socket, or, as JSON, why there is none. */
export async function upgraded(response: Response): Promise<Reply<WebSocket>> {
  const { webSocket } = response;
  return webSocket === null ? ((await response.json()) as Reply<never>) : { reply: webSocket };
}
