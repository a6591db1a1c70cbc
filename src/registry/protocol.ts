/** The protocol about one name as data: its state, what it is told (inputs), and what it has done (effects). */

import type { EventKind } from "../model/registry-event.ts";
import type { Registration } from "../model/registration.ts";
import type { Totals } from "../model/totals.ts";
import type { Verdict } from "./liveness.ts";

/** A name's row, as far as the protocol decides by it. It is on disk, and survives a restart of the registry. */
export type Row = Pick<Registration, "incarnation" | "state" | "attempts" | "restarts">;

/**
 * An operation on a name that has not been answered. The first one is under way, the others wait behind it. They are in
 * memory only: a restart of the registry forgets them, and the row alone says what has to be undone.
 *
 * - `create`, `stop`, `lookup`: a caller's.
 * - `repair`: the alarm's. It undoes what was cut off.
 */
export interface Operation {
  readonly kind: "create" | "stop" | "lookup" | "repair";
  /** Who is answered. The protocol only passes it on. */
  readonly asker: number;
  /** How many times a create has begun anew; 0 if left out. */
  readonly tries?: number;
  /** The request to the bucket's object whose reply the operation waits for. */
  readonly asked?: Asked;
}

/** A request to a bucket's object. Both are idempotent there. */
export interface Asked {
  readonly what: "start" | "stop";
  readonly incarnation: string;
  /** What the object has said of itself before the reply to its start, when it has no row yet: that it has ended. */
  readonly ended?: boolean;
  /** Likewise: its last restart. */
  readonly restart?: Restart;
  /** The row of a living bucket before its stop marked it: the bucket may refuse, and then lives on as it was. */
  readonly before?: Row;
}

/** What is known about a name. */
export interface State {
  /** Null: the name is free. */
  readonly row: Row | null;
  readonly operations: readonly Operation[];
  /** What the next incarnation will be called. It is made outside, because a step makes nothing up. */
  readonly next: string;
}

/** What a step is told. */
export type Input =
  /** A caller, or the alarm, asks for something. */
  | { readonly is: "asked"; readonly operation: Operation }
  /** What has become of a request to the bucket's object. */
  | ({ readonly is: "said"; readonly what: "start" | "stop"; readonly incarnation: string } & Outcome)
  /** A bucket's own notice: it has ended. */
  | { readonly is: "down"; readonly incarnation: string; readonly reason: string }
  /** A bucket's own notice: it was restarted, and keeps its data. */
  | ({ readonly is: "restarted"; readonly incarnation: string } & Restart)
  /** The verdict on a probe that was sent when the row was as `seen`. */
  | { readonly is: "probed"; readonly seen: Row; readonly verdict: Verdict };

/**
 * `ok`: it was done; `reason` is the one with which a stopped bucket has ended. `noproc`: the object was stopped before
 * this start, and will never start. `refused`: nothing was done. `unknown`: there was no reply in time.
 */
export type Outcome =
  | { readonly outcome: "ok"; readonly reason?: string }
  | { readonly outcome: "noproc" | "refused" | "unknown" };

/** A restart, as the bucket reports it. */
export interface Restart {
  readonly reason: string;
  /** How many times the bucket was restarted, including this one. */
  readonly restarts: number;
  /** Whether the bucket stops restarting itself: too many restarts in too short a time. */
  readonly givenUp: boolean;
}

/**
 * What a step has done. Everything but sends and answers is written in one transaction, in this order; sends and answers
 * follow when that is on disk.
 */
export type Effect =
  /** A new row, with the options of this asker. */
  | { readonly does: "insert"; readonly row: Row; readonly asker: number }
  /** The row's next state. A row that is not `running` is checked by the alarm after a wait that grows with `attempts`. */
  | { readonly does: "move"; readonly to: Row; readonly reason?: string | undefined }
  /** The row's number of restarts. */
  | { readonly does: "count"; readonly restarts: number; readonly reason: string }
  /** The result of a successful probe. */
  | { readonly does: "note"; readonly totals: Totals }
  /** Removes the row: the name is free, and its object is never used again. */
  | { readonly does: "remove" }
  /** An event of the log. */
  | {
      readonly does: "record";
      readonly event: EventKind;
      readonly incarnation: string;
      readonly reason: string | null;
    }
  /**
   * A request to the bucket's object. Its outcome comes back as `said`, exactly once unless the registry restarts. A
   * `start` makes the object.
   */
  | { readonly does: "send"; readonly what: "start" | "stop"; readonly incarnation: string }
  | { readonly does: "answer"; readonly asker: number; readonly answer: Answer };

/**
 * `bucket`: there is one, and its row at that moment. `none`: there is none. `ended`: it has ended. `noproc`: each bucket
 * that a create began ended before it was confirmed. `unknown`: the object gave no reply; its outcome says why.
 */
export type Answer =
  | { readonly is: "bucket"; readonly row: Row; readonly created: boolean }
  | { readonly is: "none" | "ended" | "noproc" | "unknown" };

/** The result of one step. */
export interface Stepped {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/** A step of the protocol. Tests wrap it. */
export type Step = (state: State, input: Input) => Stepped;
