/** The definition of linearizability, written down: every order is tried. For small histories, to try the checker on. */

import { type Call, isUnknown } from "./history.ts";
import { apply, EMPTY, type Store } from "./store-model.ts";

/** Whether the operations can be put in an order that agrees with their times and answers. */
export function isLegal(history: readonly Call[], store: Store = EMPTY): boolean {
  if (history.every(isUnknown)) return true;
  return history.some((call) => {
    const others = history.filter((other) => other !== call);
    // None that was answered before this one was asked may come after it.
    if (others.some(({ answered }) => answered < call.asked)) return false;
    const after = apply(store, call.operation, call.result);
    return after !== undefined && isLegal(others, after);
  });
}
