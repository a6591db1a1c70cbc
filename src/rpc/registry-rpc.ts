/** What a registry partition's object answers: the interface that its callers know. */

import type { Incarnation } from "../model/incarnation.ts";
import type { CreateOptions, NamesQuery, Registration, State } from "../model/registration.ts";
import type { RegistryEvent } from "../model/registry-event.ts";
import type { Reply } from "../otp/exit.ts";
import type { Partition } from "./partition.ts";

export interface Created {
  readonly registration: Registration;
  /** Whether the bucket is new. */
  readonly created: boolean;
}

/** What the sweep has done since the partition was last woken. */
export interface SweepStats {
  readonly batches: number;
  readonly probes: number;
  /** Rows of tables; the sweep's own timer and alarm add three for each batch. */
  readonly rowsWritten: number;
}

export interface Stats {
  /** How many names there are in each state. */
  readonly states: Readonly<Record<State, number>>;
  readonly sweep: SweepStats;
}

/** What a follower of events asks for. */
export interface Follow {
  /** Only this name. */
  readonly name?: string;
  /** What came after this event; from now on, if left out. */
  readonly since?: number;
}

/** The query of the WebSocket upgrade with which a follower connects. */
export interface FollowRequest {
  readonly caller: Partition;
  readonly follow: Follow;
}

/** The first message to a follower: where its events begin. */
export interface Hello {
  /** Events behind this one follow. */
  readonly position: number;
  /** The one name that it follows, as it is at that position; null if it is free. */
  readonly found: Registration | null;
}

/** What a follower is sent. */
export type FeedMessage =
  | { readonly hello: Hello }
  | { readonly events: readonly RegistryEvent[] }
  /** There was nothing for the follower up to here. */
  | { readonly position: number };

/** What each method does is said in registry/registry.ts. */
export interface RegistryRpc extends Rpc.DurableObjectBranded {
  fetch(request: Request): Promise<Response>;
  lookup(caller: Partition, name: string): Promise<Reply<Registration | null>>;
  list(caller: Partition, page: NamesQuery): Promise<Reply<Registration[]>>;
  stats(caller: Partition): Promise<Reply<Stats>>;
  create(caller: Partition, name: string, options: CreateOptions): Promise<Reply<Created>>;
  stopBucket(caller: Partition, name: string): Promise<Reply<boolean>>;
  suspect(caller: Partition, name: string, incarnation: string): Promise<Reply<boolean>>;
  knows(bucket: Incarnation): Reply<boolean>;
  partitionCount(): Reply<number | null>;
  fixPartitionCount(partitions: number): Reply<number>;
}

export type RegistryStub = DurableObjectStub<RegistryRpc>;
