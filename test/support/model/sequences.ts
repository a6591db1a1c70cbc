/** Random sequences of commands, run against the model and the real thing, which have to agree. */

import fc from "fast-check";
import { expect } from "vitest";
import { setFailpointHook } from "../../../src/otp/failpoint.ts";
import { eventsOf, expectInvariants, runAlarms } from "../faults.ts";
import { type Command, commands } from "./commands.ts";
import { checkEntries, directoryOf, Model, Real, settle } from "./model.ts";

/** A sequence of commands, run against both; then everything that is due is done, and the invariants hold. */
export function sequences(label: string, maxCommands: number): fc.IAsyncProperty<[Iterable<Command>]> {
  return fc.asyncProperty(fc.commands([...commands], { maxCommands, size: "max" }), async (sequence) => {
    const model = new Model();
    const real = new Real(label);
    try {
      await fc.asyncModelRun(() => ({ model, real }), sequence);
      await runAlarms(real.names, real.ids(), [400_000, 400_000]);
      for (const name of real.names) {
        settle(model, name);
        await expectInvariants(
          name,
          real.ids().filter((id) => belongs(model, name, id)),
        );
        await checkEntries(model, real, name, 0);
        await checkEntries(model, real, name, 1);
      }
      await checkDown(model);
    } finally {
      setFailpointHook();
      for (const name of real.names)
        await directoryOf(real, 0)
          .stop(name)
          .catch(() => undefined);
    }
  });
}

const owners = new Map<string, string>();

/** Which name an object was made for, as far as the registry ever said. */
function belongs(model: Model, name: string, id: string): boolean {
  for (const [owner, bucket] of model.buckets) owners.set(bucket.id, owner);
  return (owners.get(id) ?? name) === name;
}

/** 5: each that has ended has one DOWN, with its reason. */
async function checkDown(model: Model): Promise<void> {
  for (const [incarnation, { name, reasons }] of model.ended) {
    const down = (await eventsOf(name)).filter(
      (event) => event.kind === "DOWN" && event.incarnation === incarnation,
    );
    expect(down.length, `one DOWN of ${incarnation}`).toBe(1);
    expect(reasons, "reason").toContain(down[0]?.reason);
  }
}
