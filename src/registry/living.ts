/**
 * The part of the protocol about a bucket that lives: verdicts on probes and restarts change its row, and never free its
 * name. Pure.
 *
 * - A verdict applies to the row as it was when the probe was sent. If the row has changed since, it says nothing.
 * - `running` becomes `suspect` and then `unreachable` (event), and `running` again after a successful probe (event
 *   `reachable`, if it was unreachable).
 * - A restart (event `RESTARTED`) keeps the state. After too many of them the bucket is `unreachable` at once.
 */

import { isLiving } from "../model/registration.ts";
import { UNREACHABLE_AFTER, type Verdict } from "./liveness.ts";
import type { Effect, Input, Row, State } from "./protocol.ts";

/** A row after a change, and what has to be done. */
export interface Lived {
  readonly row: Row;
  readonly effects: readonly Effect[];
}

/**
 * Whether a bucket has its name, asked by the bucket itself: one that hears `no` ends, and one that hears `yes` does not
 * ask again. One whose start is under way has to `wait`: whether it gets the name is not decided. One that starts or
 * stops by its row has it: the row decides what becomes of it.
 */
export function hasName(
  { row, operations: [first] }: Pick<State, "operations"> & { readonly row: Pick<Row, "incarnation"> | null },
  incarnation: string,
): "yes" | "no" | "wait" {
  if (row?.incarnation === incarnation) return "yes";
  return first?.asked?.what === "start" && first.asked.incarnation === incarnation ? "wait" : "no";
}

/** Applies a verdict. @param seen the row when the probe was sent */
export function probed(row: Row, seen: Row, verdict: Exclude<Verdict, { readonly kind: "free" }>): Lived {
  const isAsSeen =
    row.incarnation === seen.incarnation && row.state === seen.state && row.attempts === seen.attempts;
  // The sweep probes running buckets again anyway; the others are checked after a growing wait.
  if (!isAsSeen || (verdict.kind === "held" && row.state === "running")) return { row, effects: [] };
  if (verdict.kind === "alive") return alive(row, verdict.totals);
  return verdict.kind === "held" ? doubted(row, row.state) : doubted(row, verdict.kind, verdict.reason);
}

/** Counts a restart. The same one may be reported more than once. */
export function restarted(row: Row, restart: Input & { readonly is: "restarted" }): Lived {
  const { incarnation, restarts, reason, givenUp } = restart;
  // One whose create is to be undone was never there for anyone.
  const isUnborn = row.state === "starting";
  if (row.incarnation !== incarnation || isUnborn || restarts <= row.restarts) return { row, effects: [] };
  const counted = { ...row, restarts };
  const effects: Effect[] = [
    { does: "count", restarts, reason },
    { does: "record", event: "RESTARTED", incarnation, reason },
  ];
  if (!givenUp || !isLiving(row)) return { row: counted, effects };
  // As in OTP when the restart intensity is exceeded: no further restarts, and unreachable until a probe succeeds.
  const to = { ...counted, state: "unreachable", attempts: UNREACHABLE_AFTER } as const;
  effects.push({ does: "move", to, reason }, { does: "record", event: "unreachable", incarnation, reason });
  return { row: to, effects };
}

function alive(row: Row, totals: (Verdict & { readonly kind: "alive" })["totals"]): Lived {
  const effects: Effect[] = totals === undefined ? [] : [{ does: "note", totals }];
  if (row.state === "running") return { row, effects };
  const { incarnation } = row;
  const to = { ...row, state: "running", attempts: 0 } as const;
  if (row.state === "unreachable")
    effects.unshift({ does: "record", event: "reachable", incarnation, reason: null });
  return { row: to, effects: [{ does: "move", to }, ...effects] };
}

function doubted(row: Row, state: Row["state"], reason?: string): Lived {
  const { incarnation } = row;
  const to = { ...row, state, attempts: row.attempts + 1 };
  const effects: Effect[] = [{ does: "move", to, reason }];
  if (state === "unreachable" && row.state !== state)
    effects.push({ does: "record", event: "unreachable", incarnation, reason: reason ?? null });
  return { row: to, effects };
}
