/** The registry and its buckets as a plain model, and the commands that both are given. */

import { evictDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { expect } from "vitest";
import { setFailpointHook } from "../../src/otp/failpoint.ts";
import { call } from "../../src/otp/call.ts";
import { Exit, Refusal } from "../../src/otp/exit.ts";
import type { RestartKind } from "../../src/otp/restart.ts";
import type { Registration } from "../../src/model/registration.ts";
import { refOf } from "../../src/model/incarnation.ts";
import { ask, exitBucket, type Isolate, isolate } from "./directories.ts";
import {
  abortObject,
  armFailpoint,
  bucketOf,
  bucketsSince,
  eventsOf,
  expectInvariants,
  registryOf,
  rowOf,
  runAlarms,
} from "./faults.ts";
import { bucketIds, clock } from "./objects.ts";

/** A bucket that has the name. */
interface ModelBucket {
  readonly incarnation: string;
  readonly id: string;
  readonly restart: RestartKind;
  readonly entries: Map<string, string>;
  /** It has ended, for this reason, and the registry has not been told. */
  unheard?: string;
  /**
   * It was to be stopped, and that was cut off: no lookup finds it, but who knows it may still reach it.
   * Why it may have ended by the time it is found to have.
   */
  halfStopped?: string[];
}

export class Model {
  readonly buckets = new Map<string, ModelBucket>();
  /** For each incarnation that has ended: the reasons that its DOWN may give. */
  readonly ended = new Map<string, { readonly name: string; readonly reasons: readonly string[] }>();
}

/** The real thing: two callers, each with a cache of its own that may be as stale as it likes. */
export class Real {
  static #runs = 0;
  readonly callers: readonly Isolate[] = [isolate(), isolate()];
  readonly names: readonly string[];
  readonly #before = new Set(bucketIds);

  constructor(label: string) {
    Real.#runs += 1;
    this.names = ["a", "b"].map((name) => `${label}-${Real.#runs}-${name}`);
  }

  ids(): string[] {
    return bucketsSince(this.#before);
  }
}

type Command = fc.AsyncCommand<Model, Real>;

const KEYS = ["milk", "eggs"];
const READ_ATTEMPTS = 3;

/** Which of the two names, and which of the two callers. */
const which = fc.nat({ max: 1 });

function command(text: string, run: (model: Model, real: Real) => Promise<void>): Command {
  return { check: () => true, run, toString: () => text };
}

function end(model: Model, name: string, ...reasons: readonly string[]): void {
  const bucket = model.buckets.get(name);
  if (bucket === undefined) return;
  model.buckets.delete(name);
  model.ended.set(bucket.incarnation, { name, reasons });
}

async function create(
  model: Model,
  real: Real,
  name: string,
  caller: number,
  restart: RestartKind,
): Promise<void> {
  const before = model.buckets.get(name);
  // The stop comes first: the name is free, and its next bucket is empty.
  if (before?.halfStopped !== undefined) end(model, name, ...before.halfStopped);
  const answer = await directoryOf(real, caller).create(name, { restart }).catch(differently);
  if (answer === "differently") {
    expect([model.buckets.has(name), before?.restart === restart], "is there, and differs").toEqual([
      true,
      false,
    ]);
    return;
  }
  const { created, registration } = answer;
  const { incarnation, id } = registration;
  if (before?.unheard !== undefined && created) end(model, name, before.unheard);
  expect(created, "created").toBe(!model.buckets.has(name));
  if (!created) expect([incarnation, restart]).toEqual([before?.incarnation, before?.restart]);
  else model.buckets.set(name, { incarnation, id, restart, entries: new Map() });
}

/** A create that was refused because of what the bucket was created with; anything else is thrown on. */
function differently(error: unknown): "differently" {
  if (error instanceof Refusal && error.code === "bucket_exists_differently") return "differently";
  throw error;
}

/** What a call to a bucket that has ended unheard shows: the registry has asked, and knows. */
function heard(model: Model, name: string): ModelBucket | undefined {
  const bucket = model.buckets.get(name);
  if (bucket?.unheard !== undefined) end(model, name, bucket.unheard);
  return model.buckets.get(name);
}

/** What alarms that are due do about a bucket. */
function settle(model: Model, name: string): void {
  const bucket = heard(model, name);
  if (bucket?.halfStopped !== undefined) end(model, name, ...bucket.halfStopped);
}

function isHalfStopped(model: Model, name: string): boolean {
  return model.buckets.get(name)?.halfStopped !== undefined;
}

function directoryOf(real: Real, caller: number): Isolate["directory"] {
  return (real.callers[caller] as Isolate).directory;
}

async function checkEntries(model: Model, real: Real, name: string, caller: number): Promise<void> {
  const directory = directoryOf(real, caller);
  const found: Record<string, string> = {};
  for (const key of KEYS) {
    const answer = await ask(directory, name, (bucket) => bucket.get(key, {}));
    if (isHalfStopped(model, name)) return;
    const bucket = heard(model, name);
    expect(answer === undefined, `${name} is there`).toBe(bucket === undefined);
    if (answer?.outcome === "found") found[key] = answer.entry.value as string;
  }
  expect(found, "entries").toEqual(Object.fromEntries(heard(model, name)?.entries ?? []));
}

/** Ends the bucket, or restarts it, and says what a DOWN would give as its reason. */
interface Ending {
  readonly reason: string;
  readonly send: (real: Real, name: string, caller: number) => Promise<unknown>;
}

const endings: Readonly<Record<string, Ending>> = {
  shutdown: {
    reason: "shutdown",
    send: (real, name, caller) => exitBucket(directoryOf(real, caller), name, "shutdown"),
  },
  kill: {
    reason: "killed",
    send: (real, name, caller) => exitBucket(directoryOf(real, caller), name, "kill"),
  },
  crash: {
    reason: "crash: out of cheese",
    send: async (_, name) => {
      const row = await rowOf(name);
      if (row === undefined) return;
      await call(() => bucketOf(row.id).crash("out of cheese")).catch((error: unknown) => {
        if (!(error instanceof Exit)) throw error;
        if (typeof error.reason !== "object" && error.reason !== "noproc") throw error;
      });
    },
  },
};

/** A restart more than five seconds after the one before is none too many. */
function passWindow(): void {
  clock.aheadMs += 6_000;
}

const creates = fc
  .tuple(which, which, fc.constantFrom<RestartKind>("permanent", "temporary"))
  .map(([at, caller, restart]) =>
    command(`create(${at}, ${restart}) by ${caller}`, (model, real) =>
      create(model, real, real.names[at] as string, caller, restart),
    ),
  );

const CONCURRENT = ["create", "stop", "shutdown", "put"] as const;

const pairs = fc
  .tuple(which, fc.constantFrom(...CONCURRENT), fc.constantFrom(...CONCURRENT))
  .map(([at, one, other]) =>
    command(`${one}(${at}) and ${other}(${at}) at once`, (model, real) =>
      pair(model, real, real.names[at] as string, [one, other]),
    ),
  );

/** Each as often as any other, but for those that are here twice: without a bucket the others do little. */
const commands: readonly fc.Arbitrary<Command>[] = [
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
      const bucket = heard(model, name);
      expect(written === undefined, "not found").toBe(bucket === undefined);
      bucket?.entries.set(key, String(value));
    }),
  ),
  fc.tuple(which, which, fc.constantFrom(...KEYS)).map(([at, caller, key]) =>
    command(`delete(${at}, ${key}) by ${caller}`, async (model, real) => {
      const name = real.names[at] as string;
      const removed = await directoryOf(real, caller).call(name, (bucket) => bucket.remove(key, {}));
      if (isHalfStopped(model, name)) return;
      const bucket = heard(model, name);
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
      // Of an end that nobody could tell it of, the registry need not know yet.
      const bucket = found === undefined ? heard(model, name) : model.buckets.get(name);
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
      end(model, name, ...(bucket?.halfStopped ?? [bucket?.unheard ?? "normal"]));
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
      // A crash is the object's own business: nobody asks the registry on the way.
      else if (how === "crash" && model.buckets.get(name)?.unheard !== undefined) return;
      else if (heard(model, name)?.restart === "temporary") end(model, name, ending.reason);
    }),
  ),
  fc.tuple(which, which).map(([at, caller]) =>
    command(`exit normal(${at}) by ${caller}`, async (model, real) => {
      const name = real.names[at] as string;
      const said = await exitBucket(directoryOf(real, caller), name, "normal");
      if (isHalfStopped(model, name)) return;
      expect(said, "heard").toBe(heard(model, name) !== undefined);
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
      const bucket = isHit() ? model.buckets.get(name) : heard(model, name);
      if (!isHit()) expect(said).toBe(bucket !== undefined);
      if (bucket?.restart === "temporary" && isHit()) bucket.unheard = "shutdown";
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
      else end(model, name, ...(bucket?.halfStopped ?? [bucket?.unheard ?? "normal"]));
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

type Concurrent = (typeof CONCURRENT)[number];

/** What came of one of two. */
interface Outcome {
  readonly what: Concurrent;
  readonly created?: boolean;
  readonly registration?: Registration;
  /** What a stop or an exit has said. */
  readonly said?: boolean;
  readonly put?: unknown;
  readonly unknown?: unknown;
  readonly refused?: unknown;
}

/** Two at once: whichever came first, what is found afterwards has to be what one of the orders gives. */
async function pair(
  model: Model,
  real: Real,
  name: string,
  both: readonly [Concurrent, Concurrent],
): Promise<void> {
  if (isHalfStopped(model, name)) return;
  passWindow();
  const before = model.buckets.get(name);
  const results = await Promise.all(
    both.map(async (what, caller): Promise<Outcome> => {
      const directory = directoryOf(real, caller);
      try {
        switch (what) {
          case "create":
            return { what, ...(await directory.create(name, { restart: "temporary" })) };
          case "stop":
            return { what, said: await directory.stop(name) };
          case "shutdown":
            return { what, said: await exitBucket(directory, name, "shutdown") };
          case "put":
            return {
              what,
              put: await ask(directory, name, (bucket) => bucket.put("milk", `by ${caller}`)),
            };
        }
      } catch (error) {
        // The bucket was restarting, or ended under the call: the outcome is unknown, and said to be.
        if (error instanceof Exit) return { what, unknown: error.reason };
        return { what, refused: differently(error) };
      }
    }),
  );
  const row = await rowOf(name);
  const created = results.filter((result) => result.created === true);
  // 2: at most one of two creates makes a bucket, unless something has ended the first one.
  if (both.every((what) => what === "create")) {
    expect(created.length).toBeLessThanOrEqual(1);
    expect(new Set(results.map(({ registration }) => registration?.incarnation)).size).toBe(1);
  }
  const reasons = ["normal", "shutdown", ...(before?.unheard === undefined ? [] : [before.unheard])];
  for (const { registration } of created) {
    if (registration !== undefined && registration.incarnation !== row?.incarnation) {
      model.ended.set(registration.incarnation, { name, reasons });
    }
  }
  if (before !== undefined && before.incarnation !== row?.incarnation) end(model, name, ...reasons);
  const stopped = results.some(({ what, said }) => what === "stop" && said === true);
  if (stopped && before !== undefined && created.length === 0)
    expect(row?.incarnation).not.toBe(before.incarnation);
  if (row === undefined) return;
  const kept = row.incarnation === before?.incarnation;
  if (!kept) {
    expect(created.map(({ registration }) => registration?.incarnation)).toContain(row.incarnation);
    model.buckets.set(name, {
      incarnation: row.incarnation,
      id: row.id,
      restart: row.restart,
      entries: new Map(),
    });
  }
  // A stop whose object was just being reset: its outcome was said to be unknown.
  if (row.state === "stopping") {
    (model.buckets.get(name) as ModelBucket).halfStopped = [...reasons];
    return;
  }
  await readBack(model, real, name, both, results, kept);
}

/** A put at the same time may have been before or behind the other one; an acknowledged one to who lives is kept. */
async function readBack(
  model: Model,
  real: Real,
  name: string,
  both: readonly string[],
  results: readonly Outcome[],
  kept: boolean,
): Promise<void> {
  const bucket = model.buckets.get(name) as ModelBucket;
  if (bucket.unheard !== undefined) return;
  const found = await again(() => ask(directoryOf(real, 0), name, (stub) => stub.get("milk", {})));
  const value = found?.outcome === "found" ? (found.entry.value as string) : undefined;
  const old = bucket.entries.get("milk");
  const puts = both.flatMap((what, caller) => (what === "put" ? [`by ${caller}`] : []));
  expect([old, ...puts], "milk").toContain(value);
  if (kept && puts.length > 0 && results.every(({ put }) => put !== undefined)) expect(puts).toContain(value);
  if (value !== undefined) bucket.entries.set("milk", value);
}

async function again<T>(request: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof Exit) || attempt === READ_ATTEMPTS) throw error;
    }
  }
}

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
