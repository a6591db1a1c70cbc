/**
 * The protocol about one name, as a pure function: a state and an input give the next state and what has to be done.
 * The registry executes the effects (runner.ts); the tests explore every interleaving of this very function.
 *
 * 1. Operations on a name wait in a queue, and the first one is under way. A lookup waits too (*queue*): what is under way
 *    decides what it finds.
 * 2. A create starts the object, and writes the row when the object has replied. Only then is the bucket found. So two
 *    commits wait for each other, the object's and the registry's. If the registry ends between them, nothing leads to
 *    the object, and nothing ever will: it asks whether it has its name, and ends when it hears that it has not.
 * 3. A stop marks the row as `stopping` before the object is asked, and removes the row when the object has replied.
 * 4. If no reply comes, the caller is told that the outcome is unknown, and the row says what was cut off: `starting` if it
 *    was a create. `starting` and `stopping` rows with no operation are undone (*undo*), by the alarm or by the next
 *    operation, and are never finished. The caller may not want the bucket any more, and another one may have been told
 *    that there is none.
 * 5. A create never takes over such a row (*own*): it would take over its options too.
 * 6. While a bucket lives, verdicts and restarts change its row (living.ts). Only its own word frees its name.
 *
 * Three rules are kept elsewhere: an alarm that was lost is set again by any call (*rearm*, otp/timers.ts), an object
 * that has ended remembers that for a minute, so that a start sent twice does not revive it (*tomb*, otp/process.ts), and
 * an object that asks whether it has its name waits for its create (*orphan*, {@link hasName} in living.ts).
 */

import { isLiving } from "../model/registration.ts";
import { probed, restarted, type Lived } from "./living.ts";
import type { Answer, Asked, Effect, Input, Operation, Outcome, Row, State, Stepped } from "./protocol.ts";

/** How many times a create begins anew, because a row was cut off before it or its bucket ended before it was confirmed. */
const MAX_TRIES = 3;

export function step({ row: before, operations: waiting, next }: State, input: Input): Stepped {
  let row = before;
  let operations = waiting;
  const effects: Effect[] = [];

  const move = (to: Row): void => {
    effects.push({ does: "move", to });
    row = to;
  };
  const live = (lived: Lived): void => {
    effects.push(...lived.effects);
    ({ row } = lived);
  };
  const free = ({ incarnation, state }: Row, reason: string): void => {
    effects.push({ does: "remove" });
    // A bucket whose create was undone was never there for anyone: nothing has ended.
    if (state !== "starting") effects.push({ does: "record", event: "DOWN", incarnation, reason });
    row = null;
  };
  const answer = (operation: Operation, what: Answer): void => {
    effects.push({ does: "answer", asker: operation.asker, answer: what });
    operations = operations.slice(1);
  };
  const send = (operation: Operation, asked: Asked): void => {
    operations = [{ ...operation, asked }, ...operations.slice(1)];
    effects.push({ does: "send", what: asked.what, incarnation: asked.incarnation });
  };
  const stop = (operation: Operation, current: Row): void => {
    const { incarnation } = current;
    if (!isLiving(current)) return send(operation, { what: "stop", incarnation });
    // The mark comes first: if anything fails from here on, the row says that the bucket has to go.
    move({ ...current, state: "stopping", attempts: 0 });
    send(operation, { what: "stop", incarnation, before: current });
  };

  /** Takes up the first operation. It is answered at once, or the object is asked. */
  const take = (operation: Operation): void => {
    const lives = row !== null && isLiving(row);
    if (operation.kind === "lookup" || (operation.kind === "create" && lives)) {
      answer(operation, row !== null && lives ? { is: "bucket", row, created: false } : { is: "none" });
    } else if (operation.kind === "create") {
      const { tries = 0 } = operation;
      const tried = { ...operation, tries: tries + 1 };
      if (tries === MAX_TRIES) answer(operation, { is: "noproc" });
      else if (row === null) send(tried, { what: "start", incarnation: next });
      else stop(tried, row);
    } else if (row === null || (operation.kind === "repair" && lives)) answer(operation, { is: "none" });
    else stop(operation, row);
  };

  /** The reply to a start, or none. The name has no row yet. */
  const started = (operation: Operation, { incarnation, ended, restart }: Asked, outcome: Outcome): void => {
    const insert = (state: "running" | "starting"): Row => {
      row = { incarnation, state, attempts: 0, restarts: 0 };
      effects.push({ does: "insert", row, asker: operation.asker });
      return row;
    };
    // One that has ended begins anew, whatever has become of the reply.
    if (ended === true || outcome.outcome === "noproc") return;
    if (outcome.outcome === "ok") {
      const inserted = insert("running");
      effects.push({ does: "record", event: "created", incarnation, reason: null });
      if (restart !== undefined) live(restarted(inserted, { is: "restarted", incarnation, ...restart }));
      answer(operation, { is: "bucket", row: row ?? inserted, created: true });
    } else {
      // It may live, or start later: from here on the row says that it has to go. One that refused has done nothing.
      if (outcome.outcome === "unknown") insert("starting");
      answer(operation, { is: "unknown" });
    }
  };

  /** What the object of a create says of itself before the reply to its start. */
  const early = (said: Pick<Asked, "ended" | "restart">, incarnation: string): void => {
    const [first, ...others] = operations;
    if (first?.asked?.what !== "start" || first.asked.incarnation !== incarnation) return;
    operations = [{ ...first, asked: { ...first.asked, ...said } }, ...others];
  };

  const heard = (said: Input & { readonly is: "said" }): void => {
    const [first, ...others] = operations;
    // Not what the first operation waits for: a reply to one that a fault has made the registry forget.
    if (first?.asked?.what !== said.what || first.asked.incarnation !== said.incarnation) return;
    const { asked, ...operation } = first;
    operations = [operation, ...others];
    if (said.what === "start") started(operation, asked, said);
    else if (row?.incarnation !== said.incarnation) {
      // Its own notice has freed the name meanwhile. A stop has what it wanted; a create begins anew.
      if (operation.kind !== "create") answer(operation, { is: "ended" });
    } else if (said.outcome === "refused" || said.outcome === "unknown") {
      const { before: lived } = asked;
      if (said.outcome === "refused" && lived !== undefined) {
        // The bucket has changed nothing, and the caller hears so: the name leads to it again.
        move({ ...row, state: lived.state, attempts: lived.attempts });
      }
      // Each name waits for its own next attempt, so one that fails does not delay the others.
      if (operation.kind === "repair") move({ ...row, attempts: row.attempts + 1 });
      answer(operation, { is: "unknown" });
    } else {
      free(row, said.outcome === "ok" ? (said.reason ?? "normal") : "noproc");
      if (operation.kind !== "create") answer(operation, { is: "ended" });
    }
  };

  switch (input.is) {
    case "asked":
      operations = [...operations, input.operation];
      break;
    case "said":
      heard(input);
      break;
    case "down":
      if (row?.incarnation === input.incarnation) free(row, input.reason);
      else early({ ended: true }, input.incarnation);
      break;
    case "restarted": {
      const { is: _, incarnation, ...restart } = input;
      if (row === null) early({ restart }, incarnation);
      else live(restarted(row, input));
      break;
    }
    case "probed":
      if (row === null) break;
      if (input.verdict.kind !== "free") live(probed(row, input.seen, input.verdict));
      // A name that is `stopping` is freed by its stop, which has the reason.
      else if (row.incarnation === input.seen.incarnation && isLiving(row)) free(row, input.verdict.reason);
  }
  for (let [first] = operations; first !== undefined && first.asked === undefined; [first] = operations)
    take(first);
  return { state: { row, operations, next }, effects };
}
