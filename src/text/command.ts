/** The commands of the text protocol, and what running one gives. */

import type { Value } from "../model/value.ts";
import type { Failure } from "../model/errors.ts";

/** A command that one bucket carries out. */
export type BucketCommand =
  | { readonly verb: "GET"; readonly bucket: string; readonly key: string }
  | { readonly verb: "PUT"; readonly bucket: string; readonly key: string; readonly value: Value }
  | { readonly verb: "DELETE"; readonly bucket: string; readonly key: string }
  | { readonly verb: "KEYS"; readonly bucket: string; readonly prefix: string; readonly after: string }
  | { readonly verb: "INCR"; readonly bucket: string; readonly key: string; readonly by: bigint };

/** Whether it changes nothing, so that repeating it is safe. */
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

/** A line that is no command: the guide's unknown command, or something that is known to be wrong with it. */
export type Malformed = { readonly verb: "UNKNOWN" } | { readonly verb: "BAD"; readonly failure: Failure };

/** What a command gives. `silent` is SUBSCRIBE's: it has no reply. */
export type Answer =
  | { readonly kind: "ok" }
  | { readonly kind: "silent" }
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "absent" }
  | { readonly kind: "names"; readonly names: readonly string[] }
  | { readonly kind: "pong" }
  | { readonly kind: "help" }
  /** MONITOR of what is not there. */
  | { readonly kind: "ok_noproc"; readonly bucket: string }
  | { readonly kind: "no_bucket" }
  | { readonly kind: "unknown" }
  | { readonly kind: "error"; readonly failure: Failure };

/** A change, as a subscriber hears of it. */
export type Notification =
  | { readonly kind: "put"; readonly key: string; readonly value: Value }
  /** A value that is too large for this protocol. */
  | { readonly kind: "large"; readonly key: string }
  | { readonly kind: "delete"; readonly key: string };

/** What a monitor hears of its bucket. */
export type Signal = {
  readonly kind: "DOWN" | "RESTARTED";
  readonly bucket: string;
  readonly reason: string;
};
