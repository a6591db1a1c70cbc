/** The RPC interface of a registry partition's object, as its callers see it. */

import type { Incarnation } from "../model/incarnation.ts";
import type { CreateOptions, NamesQuery, Registration, State } from "../model/registration.ts";
import type { RegistryEvent } from "../model/registry-event.ts";
import type { Totals } from "../model/totals.ts";
import type { Reply } from "../otp/exit.ts";
import type { Partition } from "./partition.ts";

/** The reply to a create. */
export interface Created {
  readonly registration: Registration;
  /** Whether the bucket is new. */
  readonly created: boolean;
}

/** The work of the sweep since the partition's object was last woken. */
export interface SweepStats {
  readonly batches: number;
  readonly probes: number;
  /** Rows of the names tables. The sweep's timer and alarm, not counted here, write three more for each batch. */
  readonly rowsWritten: number;
}

/** What a bucket reports. */
export interface Report extends Totals {
  /** How many times it was restarted. A registry that knows of another number takes no word of its health from it. */
  readonly restarts: number;
}

/** A partition's statistics. */
export interface Stats {
  /** The number of names in each state. Those whose create is under way count as `starting`; they have no row yet. */
  readonly states: Readonly<Record<State, number>>;
  readonly sweep: SweepStats;
}

/** Which events a follower receives. */
export interface Follow {
  /** Only this name. */
  readonly name?: string;
  /** Only events after this number; if left out, events from now on. */
  readonly since?: number;
}

/** The `follow` parameter of a follower's WebSocket upgrade, as JSON. */
export interface FollowRequest {
  readonly caller: Partition;
  readonly follow: Follow;
}

/** The first message to a follower: the position from which its events follow. */
export interface Hello {
  /** The events after this number follow. */
  readonly position: number;
  /** The registration of the followed name at that position; null if the name is free, or all names are followed. */
  readonly found: Registration | null;
}

/** A message to a follower. */
export type FeedMessage =
  | { readonly hello: Hello }
  | { readonly events: readonly RegistryEvent[] }
  /** No event up to this number is for the follower. */
  | { readonly position: number };

/** A partition's object. registry/registry.ts documents each method. */
export interface RegistryRpc extends Rpc.DurableObjectBranded {
  fetch(request: Request): Promise<Response>;
  lookup(caller: Partition, name: string): Promise<Reply<Registration | null>>;
  list(caller: Partition, page: NamesQuery): Promise<Reply<Registration[]>>;
  stats(caller: Partition): Promise<Reply<Stats>>;
  create(caller: Partition, name: string, options: CreateOptions): Promise<Reply<Created>>;
  stopBucket(caller: Partition, name: string): Promise<Reply<boolean>>;
  suspect(caller: Partition, name: string, incarnation: string): Promise<Reply<boolean>>;
  report(bucket: Incarnation, said: Report): Promise<Reply<boolean>>;
  wiped(id: string): Reply<null>;
  partitionCount(): Reply<number | null>;
  fixPartitionCount(partitions: number): Reply<number>;
}

export type RegistryStub = DurableObjectStub<RegistryRpc>;
