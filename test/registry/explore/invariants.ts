/** What has to hold in every world, and of every effect and answer. The numbers are those of docs/invariants.md. */

import { isLiving } from "../../../src/model/registration.ts";
import type { Answer, Effect } from "../../../src/registry/protocol.ts";
import { askerOf, changed, type Incarnation, isCutOff, type Name, numberOf, type World } from "./world.ts";

/** An invariant does not hold. */
export class Violation extends Error {}

export const VIOLATIONS = {
  others: "2: a create is acknowledged, and the bucket has another caller's options",
  unasked: "1: a name that was NOT FOUND exists, and nobody has asked for it",
  found: "1: a lookup finds what was acknowledged as ended",
  revived: "1: an object lives whose end was acknowledged, or whose DOWN was sent",
  dead: "1: the name leads to an object that has been wiped",
  two: "2: two objects of one name live",
  leaked: "4: an object lives that no name leads to, and that does not ask whether one does",
  stuck: "4: a name is between two states, and no alarm will come",
  createdTwice: "5: created twice",
  downTwice: "5: DOWN twice",
  downMissing: "5: a bucket that was there has ended, and there is no DOWN",
  downUnborn: "5: DOWN of what was never created",
  restartedTwice: "5: RESTARTED twice",
  restartedUnborn: "5: RESTARTED of what was never created",
  killed: "6: DOWN of what nobody has ended",
} as const;

type Kind = keyof typeof VIOLATIONS;

function holds(is: boolean, otherwise: Kind): void {
  if (!is) throw new Violation(VIOLATIONS[otherwise]);
}

/** Notes an event, which is being written. */
export function recorded(name: Name, effect: Effect & { readonly does: "record" }): Name {
  const n = numberOf(effect.incarnation);
  const one = name.incarnations[n] as Incarnation;
  switch (effect.event) {
    case "created":
      holds(!one.created, "createdTwice");
      holds(!name.absent, "unasked");
      return changed(name, n, { created: true });
    case "DOWN":
      holds(!one.down, "downTwice");
      holds(one.created, "downUnborn");
      holds(one.mayEnd, "killed");
      return changed(name, n, { down: true });
    case "RESTARTED": {
      holds(one.created, "restartedUnborn");
      holds(one.restarted < one.restarts, "restartedTwice");
      return changed(name, n, { restarted: one.restarts });
    }
    case "unreachable":
    case "reachable":
      return name;
  }
}

/** Notes an answer, which reaches its caller. @param ended the incarnation that the answered operation was about */
export function answered(name: Name, number: number, answer: Answer, ended: number): Name {
  const { kind, options, heard, clean } = askerOf(number);
  if (!heard) return name;
  if (answer.is === "bucket") {
    const n = numberOf(answer.row.incarnation);
    const one = name.incarnations[n] as Incarnation;
    holds(!one.ended && !one.down, "found");
    if (kind === "create" && answer.created) holds(one.options === options, "others");
    return name;
  }
  if (answer.is === "ended" && kind === "stop") return changed(name, ended, { ended: true });
  if (answer.is === "none" && kind === "lookup" && clean) return { ...name, absent: true };
  return name;
}

/** Checks a world. */
export function check(world: World): void {
  for (const name of world.names) checkName(name);
  const isQuiet = world.names.every(({ net, operations }) => net.length === 0 && operations.length === 0);
  if (!isQuiet) return;
  const isHeard = world.alarm === "set" || world.alarm === "lost";
  holds(isHeard || !world.names.some(isCutOff), "stuck");
}

const checked = new WeakSet<Name>();

function checkName(name: Name): void {
  if (checked.has(name)) return;
  checked.add(name);
  const { row, incarnations, net, operations } = name;
  const at = row === null ? undefined : incarnations[numberOf(row.incarnation)];
  const living = incarnations.filter(({ object }) => object === "alive");
  for (const { down, ended } of living) holds(!down && !ended, "revived");
  holds(living.filter(({ forgotten }) => !forgotten).length <= 1, "two");
  if (row !== null && isLiving(row)) holds(at?.object === "alive" || at?.object === "obituary", "dead");
  if (net.length > 0 || operations.length > 0) return;
  for (const one of living) holds(one === at || (one.forgotten && !one.known), "leaked");
  for (const { created, down } of incarnations.filter((one) => one !== at))
    holds(down || !created, "downMissing");
}
