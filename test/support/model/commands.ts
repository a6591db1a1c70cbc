/** The commands that the model and the real thing are given, one after the other. */

import { evictDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { expect } from "vitest";
import { refOf } from "../../../src/model/incarnation.ts";
import { call } from "../../../src/otp/call.ts";
import { setFailpointHook } from "../../../src/otp/failpoint.ts";
import type { RestartKind } from "../../../src/otp/restart.ts";
import { exitBucket } from "../directories.ts";
import { abortObject, armFailpoint, bucketOf, registryOf, rowOf, runAlarms } from "../faults.ts";
import { type Ending, endings } from "./endings.ts";
import {
  acked,
  checkEntries,
  create,
  directoryOf,
  end,
  isHalfStopped,
  KEYS,
  type Model,
  passWindow,
  type Real,
  settle,
} from "./model.ts";
import { CONCURRENT, pair } from "./pair.ts";

export type Command = fc.AsyncCommand<Model, Real>;

/** Which of the two names, and which of the two callers. */
const which = fc.nat({ max: 1 });

function command(text: string, run: (model: Model, real: Real) => Promise<void>): Command {
  return { check: () => true, run, toString: () => text };
}

const creates = fc
  .tuple(which, which, fc.constantFrom<RestartKind>("permanent", "temporary"))
  .map(([at, caller, restart]) =>
    command(`create(${at}, ${restart}) by ${caller}`, (model, real) =>
      create(model, real, real.names[at] as string, caller, restart),
    ),
  );

const pairs = fc
  .tuple(which, fc.constantFrom(...CONCURRENT), fc.constantFrom(...CONCURRENT))
  .map(([at, one, other]) =>
    command(`${one}(${at}) and ${other}(${at}) at once`, (model, real) =>
      pair(model, real, real.names[at] as string, [one, other]),
    ),
  );

/** Each as often as any other, but for those that are here twice: without a bucket the others do little. */
export const commands: readonly fc.Arbitrary<Command>[] = [
  creates,
  creates,
  creates,
  pairs,
  pairs,
  pairs,
  fc.tuple(which, which, fc.constantFrom(...KEYS), fc.nat({ max: 9 })).map(([at, caller, key, value]) =>
    command(`put(${at}, ${key}, ${value}) by ${caller}`, async (model, real) => {
      const name = real.names[at] as string;
      const written = await directoryOf(real, caller).call(name, (bucket) => bucket.put(key, String(value)));
      if (isHalfStopped(model, name)) return;
      const bucket = acked(model, name);
      expect(written === undefined, "not found").toBe(bucket === undefined);
      bucket?.entries.set(key, String(value));
    }),
  ),
  fc.tuple(which, which, fc.constantFrom(...KEYS)).map(([at, caller, key]) =>
    command(`delete(${at}, ${key}) by ${caller}`, async (model, real) => {
      const name = real.names[at] as string;
      const removed = await directoryOf(real, caller).call(name, (bucket) => bucket.remove(key, {}));
      if (isHalfStopped(model, name)) return;
      const bucket = acked(model, name);
      expect(removed === undefined, "not found").toBe(bucket === undefined);
      bucket?.entries.delete(key);
    }),
  ),
  fc
    .tuple(which, which)
    .map(([at, caller]) =>
      command(`get(${at}) by ${caller}`, (model, real) =>
        checkEntries(model, real, real.names[at] as string, caller),
      ),
    ),
  fc.tuple(which, which).map(([at, caller]) =>
    command(`lookup(${at}) by ${caller}`, async (model, real) => {
      const name = real.names[at] as string;
      const found = await directoryOf(real, caller).lookup(name);
      // The registry need not know yet of an end whose notice was lost.
      const bucket = found === undefined ? acked(model, name) : model.buckets.get(name);
      if (bucket?.halfStopped !== undefined) expect(found).toBeUndefined();
      else expect(found?.incarnation).toBe(bucket?.incarnation);
    }),
  ),
  fc.tuple(which, which).map(([at, caller]) =>
    command(`stop(${at}) by ${caller}`, async (model, real) => {
      const name = real.names[at] as string;
      const bucket = model.buckets.get(name);
      const said = await directoryOf(real, caller).stop(name);
      // One that was half stopped may have ended by itself since.
      if (bucket?.halfStopped === undefined) expect(said).toBe(bucket !== undefined);
      end(model, name, ...(bucket?.halfStopped ?? [bucket?.unacked ?? "normal"]));
    }),
  ),
  fc.tuple(which, which, fc.constantFrom(...Object.keys(endings))).map(([at, caller, how]) =>
    command(`${how}(${at}) by ${caller}`, async (model, real) => {
      const name = real.names[at] as string;
      const ending = endings[how] as Ending;
      passWindow();
      await ending.send(real, name, caller);
      const half = model.buckets.get(name)?.halfStopped;
      if (half !== undefined) half.push(ending.reason);
      // A crash is sent to the object itself, so no call asks the registry.
      else if (how === "crash" && model.buckets.get(name)?.unacked !== undefined) return;
      else if (acked(model, name)?.restart === "temporary") end(model, name, ending.reason);
    }),
  ),
  fc.tuple(which, which).map(([at, caller]) =>
    command(`exit normal(${at}) by ${caller}`, async (model, real) => {
      const name = real.names[at] as string;
      const said = await exitBucket(directoryOf(real, caller), name, "normal");
      if (isHalfStopped(model, name)) return;
      expect(said, "heard").toBe(acked(model, name) !== undefined);
    }),
  ),
  fc.tuple(which, which).map(([at, caller]) =>
    command(`shutdown(${at}) by ${caller}, and the notice is lost`, async (model, real) => {
      const name = real.names[at] as string;
      passWindow();
      const isHit = armFailpoint("notice: written, not sent", "throw");
      const said = await exitBucket(directoryOf(real, caller), name, "shutdown").catch(() => undefined);
      setFailpointHook();
      const half = model.buckets.get(name)?.halfStopped;
      if (half !== undefined) {
        half.push("shutdown");
        return;
      }
      const bucket = isHit() ? model.buckets.get(name) : acked(model, name);
      if (!isHit()) expect(said).toBe(bucket !== undefined);
      if (bucket?.restart === "temporary" && isHit()) bucket.unacked = "shutdown";
    }),
  ),
  fc.tuple(which, which).map(([at, caller]) =>
    command(`stop(${at}) by ${caller}, and the object can't be told`, async (model, real) => {
      const name = real.names[at] as string;
      const isHit = armFailpoint("end: terminated, not wiped", "throw");
      await directoryOf(real, caller)
        .stop(name)
        .catch(() => undefined);
      setFailpointHook();
      const bucket = model.buckets.get(name);
      if (isHit() && bucket !== undefined) bucket.halfStopped ??= ["normal"];
      else end(model, name, ...(bucket?.halfStopped ?? [bucket?.unacked ?? "normal"]));
    }),
  ),
  which.map((at) =>
    command(`evict(${at})`, async (_, real) => {
      const row = await rowOf(real.names[at] as string);
      if (row !== undefined) await evictDurableObject(bucketOf(row.id)).catch(() => undefined);
    }),
  ),
  fc.tuple(which, fc.constantFrom("bucket", "registry")).map(([at, what]) =>
    command(`abort ${what}(${at})`, async (_, real) => {
      const name = real.names[at] as string;
      const row = await rowOf(name);
      if (what === "registry") await abortObject(registryOf(name));
      else if (row !== undefined) await abortObject(bucketOf(row.id));
    }),
  ),
  fc.constant(
    command("run alarms", async (model, real) => {
      await runAlarms(real.names, real.ids(), [400_000]);
      for (const name of real.names) settle(model, name);
    }),
  ),
  which.map((at) =>
    command(`an old DOWN of ${at} comes again`, async (model, real) => {
      const name = real.names[at] as string;
      for (const [incarnation, old] of model.ended) {
        if (old.name !== name) continue;
        const notice = { kind: "down", ref: refOf({ name, incarnation }), reason: "again" } as const;
        await call(() => registryOf(name).notify(notice));
        // One that was still on its way has been overtaken by this one.
        model.ended.set(incarnation, { name, reasons: [...old.reasons, "again"] });
      }
    }),
  ),
];
