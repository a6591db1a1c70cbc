/**
 * The world in which the registry's protocol runs, as the explorer sees it: names with their rows, operations, objects and
 * messages, and one alarm. All of it is immutable. Bounds are part of it: they are what may still happen.
 */

import { isLiving } from "../../../src/model/registration.ts";
import type { Asked, Operation, Row } from "../../../src/registry/protocol.ts";

/**
 * A bucket's object. `empty`: it keeps nothing. `alive`. `obituary`: it has ended by itself, and repeats its notice until
 * the registry acknowledges it. `marked`: it has ended, or was stopped before its start, and remembers that.
 */
export type Obj = "empty" | "alive" | "obituary" | "marked";

/** A message on its way. Messages overtake each other. `n` is the incarnation: they are numbered from 0. */
export type Message =
  | { readonly is: "start" | "stop" | "down"; readonly n: number }
  /** A reply to a request. */
  | {
      readonly is: "said";
      readonly what: "start" | "stop";
      readonly n: number;
      readonly outcome: "ok" | "noproc";
    }
  /** A probe, and the row when it was sent. */
  | { readonly is: "probe"; readonly n: number; readonly seen: Row }
  | { readonly is: "restarted"; readonly n: number; readonly restarts: number }
  /** A bucket asks whether it has its name. */
  | { readonly is: "report"; readonly n: number; readonly restarts: number }
  /** It has not. A yes changes nothing, and is left out. */
  | { readonly is: "orphan"; readonly n: number };

/** What the invariants need to know about an incarnation. */
export interface History {
  /** Who has asked for it: A or B, each with options of its own. */
  readonly options: "A" | "B";
  /** Events in the log. */
  readonly created: boolean;
  readonly down: boolean;
  /** Something has been done that may end it. */
  readonly mayEnd: boolean;
  /** A caller was told that it has ended. */
  readonly ended: boolean;
  /** The highest restart in the log. */
  readonly restarted: number;
}

export interface Incarnation extends History {
  readonly object: Obj;
  /** How many times the object was restarted. */
  readonly restarts: number;
  /** The registry has ended while its start was under way: no row will ever lead to it, and it has to ask. */
  readonly forgotten: boolean;
  /** It was told that it has its name, and does not ask any more. */
  readonly known: boolean;
}

export interface Name {
  /** On disk. */
  readonly row: Row | null;
  /** In memory. */
  readonly operations: readonly Operation[];
  readonly incarnations: readonly Incarnation[];
  readonly net: readonly Message[];
  /** A caller was told that there is no such bucket, and none has asked for one since. */
  readonly absent: boolean;
}

/** What may still happen: each of these so many times. */
export interface Bounds {
  readonly names: number;
  readonly operations: number;
  /** The registry ends, and its memory with it. */
  readonly crashes: number;
  /** A deadline passes: the registry's, or a caller's. */
  readonly deadlines: number;
  /** A bucket ends by itself. */
  readonly exits: number;
  /** A bucket is restarted. */
  readonly restarts: number;
  /** The platform loses the alarm. */
  readonly lostAlarms: number;
  /** A request is sent once more because its connection breaks. */
  readonly resends: number;
  readonly probes: number;
  /** A bucket asks the registry whether it has its name. */
  readonly reports: number;
  /** Incarnations of one name after which no create is asked for. */
  readonly incarnations: number;
}

/** `checking`: it has fired, and its repairs are under way. `gone`: it was lost, and a call has not set it again. */
export type Alarm = "none" | "set" | "lost" | "checking" | "gone";

export interface World extends Omit<Bounds, "names"> {
  readonly names: readonly Name[];
  readonly alarm: Alarm;
}

export const NEW_INCARNATION: Omit<Incarnation, "options"> = {
  object: "empty",
  created: false,
  down: false,
  mayEnd: false,
  ended: false,
  restarts: 0,
  restarted: 0,
  forgotten: false,
  known: false,
};

export const NEW_NAME: Name = { row: null, operations: [], incarnations: [], net: [], absent: false };

export function firstWorld(bounds: Bounds): World {
  return { ...bounds, names: Array.from({ length: bounds.names }, () => NEW_NAME), alarm: "none" };
}

/** Whether the alarm has something to do about a name. */
export const isCutOff = ({ row }: Name): boolean => row !== null && !isLiving(row);

/** The number of an incarnation, which is its name in the protocol. */
export const numberOf = (incarnation: string): number => Number(incarnation);

/**
 * What an asker is, as one number: the protocol passes it on and looks at nothing in it. `heard`: it waits for the answer.
 * `clean`: a lookup during which nobody has asked for the bucket.
 */
export interface Asker {
  readonly kind: Operation["kind"];
  readonly options: "A" | "B";
  readonly heard: boolean;
  readonly clean: boolean;
}

const KINDS = ["create", "stop", "lookup", "repair"] as const;

export const askerNumber = ({ kind, options, heard, clean }: Asker): number =>
  KINDS.indexOf(kind) * 8 + (options === "A" ? 0 : 4) + (heard ? 0 : 2) + (clean ? 1 : 0);

export const askerOf = (asker: number): Asker => ({
  kind: KINDS[asker >> 3] as Operation["kind"],
  options: (asker & 4) === 0 ? "A" : "B",
  heard: (asker & 2) === 0,
  clean: (asker & 1) === 1,
});

const keys = new WeakMap<Name, string>();

/**
 * A name as far as it matters from here on. Incarnations that can neither be heard of nor speak any more are left out, and
 * the others are numbered anew.
 */
export function keyOfName(name: Name): string {
  let key = keys.get(name);
  if (key === undefined) keys.set(name, (key = makeKey(name)));
  return key;
}

function makeKey({ row, operations, incarnations, net, absent }: Name): string {
  const at = row === null ? -1 : numberOf(row.incarnation);
  const anew = new Map<number, number>();
  incarnations.forEach(({ object, created, down }, n) => {
    const isAround = object === "alive" || object === "obituary" || net.some((message) => message.n === n);
    if (n === at || isAround || (created && !down)) anew.set(n, anew.size);
  });
  const to = (n: number): string => String(anew.get(n) ?? "-");
  const rows = (one: Row): string =>
    `${to(numberOf(one.incarnation))}${one.state}${isLiving(one) ? one.attempts : ""}/${one.restarts}`;
  const flag = (is: boolean): string => (is ? "1" : "0");
  return [
    row === null ? "" : rows(row),
    flag(absent) + String(incarnations.length),
    ...operations.map(
      ({ kind, asker, tries, asked }) =>
        `${kind}${asker}.${tries ?? ""}${asked === undefined ? "" : keyOfAsked(asked, to)}`,
    ),
    ...[...anew.keys()].map((n) => {
      const one = incarnations[n] as Incarnation;
      return `${one.object}${one.options}${flag(one.created)}${flag(one.down)}${flag(one.mayEnd)}${flag(one.ended)}${flag(one.forgotten)}${flag(one.known)}${one.restarts}${one.restarted}`;
    }),
    ...net.map((message) => keyOfMessage(message, to, rows)).toSorted(),
  ].join(",");
}

function keyOfAsked({ what, incarnation, before, ended, restart }: Asked, to: (n: number) => string): string {
  return what + to(numberOf(incarnation)) + (before?.state ?? "") + (ended ?? "") + (restart?.restarts ?? "");
}

function keyOfMessage(message: Message, to: (n: number) => string, rows: (row: Row) => string): string {
  const { is, n } = message;
  if (is === "said") return `${is}${message.what}${to(n)}${message.outcome}`;
  if (is === "probe") return `${is}${rows(message.seen)}`;
  return is === "restarted" || is === "report" ? `${is}${to(n)}${message.restarts}` : is + to(n);
}

/** A world as far as it matters from here on. Names are interchangeable. */
export function keyOf(world: World): string {
  const { alarm, operations, crashes, deadlines, exits, restarts, lostAlarms, resends, probes, reports } =
    world;
  const left = [operations, crashes, deadlines, exits, restarts, lostAlarms, resends, probes, reports].join(
    "",
  );
  return `${world.names.map(keyOfName).toSorted().join("|")}#${alarm}${left}`;
}

/** The list without one of its members. */
export const without = <T>(list: readonly T[], at: number): T[] => list.filter((_, each) => each !== at);

/** The name with one of its incarnations changed. */
export function changed(name: Name, n: number, change: Partial<Incarnation>): Name {
  const incarnations = name.incarnations.map((one, at) => (at === n ? { ...one, ...change } : one));
  return { ...name, incarnations };
}

/** The object of a create under way: the registry will not know of it any more. */
export function forgetting(name: Name): Name {
  const asked = name.operations[0]?.asked;
  if (asked?.what !== "start" || name.row?.incarnation === asked.incarnation) return name;
  return changed(name, numberOf(asked.incarnation), { forgotten: true });
}
