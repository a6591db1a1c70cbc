/** The commands of the text protocol, and their results. Types and one predicate. */

import type { Value } from "../model/value.ts";
import type { Failure } from "../model/errors.ts";

/** A command that one bucket runs. */
export type BucketCommand =
  | { readonly verb: "GET"; readonly bucket: string; readonly key: string }
  | { readonly verb: "PUT"; readonly bucket: string; readonly key: string; readonly value: Value }
  | { readonly verb: "DELETE"; readonly bucket: string; readonly key: string }
  | { readonly verb: "GETDEL"; readonly bucket: string; readonly key: string }
  | { readonly verb: "KEYS"; readonly bucket: string; readonly prefix: string; readonly after: string }
  | { readonly verb: "INCR"; readonly bucket: string; readonly key: string; readonly by: bigint };

/** Whether a command only reads, so repeating it is safe. */
export function isReadCommand({ verb }: BucketCommand): boolean {
  return verb === "GET" || verb === "KEYS";
}

/** A command about buckets, or about the connection. */
export type ServiceCommand =
  | { readonly verb: "CREATE"; readonly bucket: string }
  | { readonly verb: "LOOKUP"; readonly bucket: string }
  | { readonly verb: "STOP"; readonly bucket: string }
  | { readonly verb: "EXIT"; readonly bucket: string; readonly reason: string }
  | { readonly verb: "SUBSCRIBE"; readonly bucket: string }
  | { readonly verb: "MONITOR"; readonly bucket: string }
  | { readonly verb: "BUCKETS"; readonly prefix: string; readonly after: string }
  | { readonly verb: "AUTH"; readonly token: string }
  | { readonly verb: "PING" }
  | { readonly verb: "QUIT" }
  | { readonly verb: "HELP" };

export type Command = BucketCommand | ServiceCommand;

/** A line that is not a command. `UNKNOWN`: the guide's unknown command. `BAD`: a command with an error. */
export type Malformed = { readonly verb: "UNKNOWN" } | { readonly verb: "BAD"; readonly failure: Failure };

/** The result of a command. `silent`: SUBSCRIBE has no reply. */
export type Answer =
  | { readonly kind: "ok" }
  | { readonly kind: "silent" }
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "absent" }
  | { readonly kind: "names"; readonly names: readonly string[] }
  | { readonly kind: "pong" }
  | { readonly kind: "help" }
  /** MONITOR of a bucket that does not exist. */
  | { readonly kind: "ok_noproc"; readonly bucket: string }
  | { readonly kind: "no_bucket" }
  | { readonly kind: "unknown" }
  | { readonly kind: "error"; readonly failure: Failure };

/** A change, as a subscriber receives it. */
export type Notification =
  | { readonly kind: "put"; readonly key: string; readonly value: Value }
  /** The key was set to a value that is too large for this protocol. */
  | { readonly kind: "large"; readonly key: string }
  | { readonly kind: "delete"; readonly key: string };

/** A signal that a monitor receives from its bucket. */
export type Signal = {
  readonly kind: "DOWN" | "RESTARTED";
  readonly bucket: string;
  readonly reason: string;
};
