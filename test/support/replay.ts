/**
 * Replays what the explorer has found on the real objects: one name of one partition. Messages between them are held, and
 * let through when the path says so; alarms are run by hand; the registry is made to end.
 */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { Exit, type Reply } from "../../src/otp/exit.ts";
import { Events } from "../../src/registry/events.ts";
import { Names } from "../../src/registry/names.ts";
import type { Answer, Effect } from "../../src/registry/protocol.ts";
import { step } from "../../src/registry/step.ts";
import { type Action, Successors } from "../registry/explore/actions.ts";
import { RULES } from "../registry/explore/bugs.ts";
import { inWords } from "../registry/explore/explore.ts";
import {
  type Bounds,
  firstWorld,
  type Message,
  type Name,
  numberOf,
  type World,
} from "../registry/explore/world.ts";
import { abortObject, bucketOf } from "./faults.ts";
import type { BucketArgs } from "../../src/rpc/bucket-rpc.ts";
import { clock, type Held, type TestRegistry, wire } from "./objects.ts";

const CALLER = { partition: 0, partitions: 1 };
const NAME = "replayed";
/** Longer than any wait of a path, so that what was cut off is due. */
const LATER_MS = 100_000;

/** What an operation has come to, in words of the protocol. */
type Outcome = readonly [is: Answer["is"], incarnation?: string, created?: boolean];

interface Waiting {
  readonly kind: string;
  readonly outcome: Promise<Outcome> | undefined;
}

/** Replays a path, and compares rows, events and replies with the model after each action. */
export async function replay(bounds: Bounds, path: readonly Action[]): Promise<void> {
  const real = new Real();
  let world = firstWorld(bounds);
  const done: string[] = [];
  try {
    for (const action of path) {
      done.push(inWords(action));
      const next = successor(bounds, world, action);
      const before = world.names[0] as Name;
      ({ world } = next);
      await real.does(action, before, next.effects);
      await real.isAs(world.names[0] as Name);
    }
  } catch (error) {
    throw new Error(`${done.join("\n")}\n${(error as Error).message}`, { cause: error });
  } finally {
    wire.hold = undefined;
  }
}

/** The world after an action, and what its steps have done. */
function successor(
  bounds: Bounds,
  world: World,
  action: Action,
): { readonly world: World; readonly effects: readonly Effect[] } {
  let effects: readonly Effect[] = [];
  let found: { readonly world: World; readonly effects: readonly Effect[] } | undefined;
  const rules = {
    ...RULES,
    step: (...args: Parameters<typeof step>) => {
      const stepped = step(...args);
      ({ effects } = stepped);
      return stepped;
    },
  };
  const wanted = JSON.stringify(action);
  new Successors(rules, bounds).of(world, (other, next) => {
    if (found === undefined && JSON.stringify(other) === wanted) found = { world: next, effects };
  });
  if (found === undefined) throw new Error("no such action in this world");
  return found;
}

class Real {
  readonly #id = env.REGISTRY.newUniqueId();
  /** Requests whose reply the registry waits for. */
  #requests: Held[] = [];
  /** Notices that a bucket waits to have acknowledged. */
  #notices: Held[] = [];
  /** Wakes those who wait for a message to be held. */
  #arrived: () => void = () => undefined;
  /** Operations that have no answer, in their order. */
  #waiting: Waiting[] = [];
  /** Object ids and incarnations, by the model's numbers. */
  readonly #ids: string[] = [];
  readonly #incarnations: string[] = [];
  #alarm: Promise<unknown> = Promise.resolve();
  /** Settles when a bucket has been acknowledged, or has heard that it was not. */
  #exit: Promise<unknown> = Promise.resolve();

  constructor() {
    wire.hold = (held) => {
      if (held.is === "start") this.#begun(held);
      (held.is === "notify" ? this.#notices : this.#requests).push(held);
      this.#arrived();
    };
  }

  /** A create has begun one more incarnation, as the model numbers them. */
  #begun({ about, args }: Held): void {
    const [{ incarnation }] = args as [BucketArgs];
    if (this.#incarnations.includes(incarnation)) return;
    this.#ids.push(about);
    this.#incarnations.push(incarnation);
  }

  async does(action: Action, before: Name, effects: readonly Effect[]): Promise<void> {
    const crash = "crash" in action ? action.crash : undefined;
    await this.#perform(action, before);
    // An operation's answer is that of the model; after a crash nobody gets any.
    const answers = effects.flatMap((effect) => (effect.does === "answer" ? [effect.answer] : []));
    if (crash === undefined && runsStep(action)) for (const answer of answers) await this.#answered(answer);
    if (crash !== undefined || action.does === "crash")
      await this.#crash(isNotice(action) || action.does === "crash");
    const sends = effects.filter(({ does }) => does === "send");
    if (crash === undefined && runsStep(action) && sends.length > 0)
      await this.#until(() => this.#requests.length > 0);
  }

  async #perform(action: Action, before: Name): Promise<void> {
    switch (action.does) {
      case "ask":
        return this.#ask(action.kind, action.options ?? "A");
      case "deliver":
        return this.#deliver(action.message);
      case "deadline":
        return this.#settle(action.what, () => Promise.reject(new Exit("timeout")));
      case "exit": {
        const ended = bucketOf(this.#ids[action.n] ?? "").exit("shutdown");
        this.#exit = ended.catch(() => undefined);
        return this.#until(() => this.#notices.length > 0);
      }
      case "alarm": {
        clock.aheadMs += LATER_MS;
        // A repair behind another operation waits for it; it is answered when the model says so.
        let fired = true;
        this.#alarm = runDurableObjectAlarm(this.#registry).then(
          (ran) => (fired = ran),
          () => undefined,
        );
        this.#waiting.push({ kind: "repair", outcome: undefined });
        await this.#until(() => this.#requests.length > 0 || before.operations.length > 0);
        return expect(fired, "an alarm was set").toBe(true);
      }
      case "lose alarm":
        await runInDurableObject(this.#registry, (_, { storage }) => storage.deleteAlarm());
        clock.aheadMs += LATER_MS;
        return;
      case "crash":
      case "give up": // Nobody waits: the model looks at no such answer, and here it is still compared.
      case "resend": // The reply to the second one finds that the first has been answered.
        return;
      case "fail probe":
      case "probe":
      case "restart":
      case "report":
        throw new Error("not replayed");
    }
  }

  async #ask(kind: string, options: "A" | "B"): Promise<void> {
    const registry = this.#registry;
    const metadata = JSON.stringify({ by: options });
    const ask = async (): Promise<Outcome> => {
      if (kind === "create") {
        const created = await registry.create(CALLER, NAME, { restart: "temporary", metadata });
        // The bucket that is there has other options, and the caller hears so.
        if ("refusal" in created && created.refusal.code === "bucket_exists_differently") return ["bucket"];
        if (!("reply" in created)) return ["unknown"];
        return ["bucket", created.reply.registration.incarnation, created.reply.created];
      }
      if (kind === "stop") {
        const stopped = await registry.stopBucket(CALLER, NAME);
        return ["reply" in stopped ? (stopped.reply ? "ended" : "none") : "unknown"];
      }
      const found = await registry.lookup(CALLER, NAME);
      if (!("reply" in found)) return ["unknown"];
      return found.reply === null ? ["none"] : ["bucket", found.reply.incarnation];
    };
    const outcome = ask().catch((): Outcome => ["unknown"]);
    this.#waiting.push({ kind, outcome });
    // It has arrived when a message that was sent after it has.
    await runInDurableObject(registry, () => undefined);
    await registry.partitionCount();
  }

  async #deliver(message: Message): Promise<void> {
    const { is, n } = message;
    const bucket = bucketOf(this.#ids[n] ?? "");
    if (is === "start") {
      const { incarnation, args } = {
        incarnation: this.#incarnations[n] ?? "",
        args: { name: NAME, createdAt: 0 },
      };
      const monitor = {
        ref: `${incarnation}/${NAME}`,
        watcher: { binding: "REGISTRY", id: this.#id.toString() },
      };
      await bucket.start({ ...args, incarnation }, { restart: "temporary", monitor });
    } else if (is === "stop") {
      // Its reply to the registry is its notice.
      await bucket.stop("normal", `${this.#incarnations[n]}/${NAME}`);
    } else if (is === "said") {
      const reply: Reply<unknown> =
        message.outcome === "noproc"
          ? { exit: "noproc" }
          : { reply: message.what === "start" ? "started" : "normal" };
      await this.#settle(message.what, () => reply, this.#ids[n]);
    } else await this.#deliverNotice(n);
  }

  /** Lets a notice through. One that was acknowledged just before a crash comes again, as from a bucket that missed that. */
  async #deliverNotice(n: number): Promise<void> {
    const [notice] = this.#notices.splice(0, 1);
    if (notice !== undefined) {
      await runInDurableObject(this.#registry, () => notice.settle({ reply: null }));
      await this.#exit;
      return;
    }
    const { hold } = wire;
    wire.hold = undefined;
    await this.#registry.notify({
      kind: "down",
      ref: `${this.#incarnations[n]}/${NAME}`,
      reason: "shutdown",
    });
    wire.hold = hold;
  }

  /** Gives the registry the reply to the request that it waits for, if it is to this object. */
  async #settle(what: string, reply: () => Reply<unknown> | Promise<never>, id?: string): Promise<void> {
    const at = this.#requests.findIndex(
      (held) => held.is === what && (id === undefined || held.about === id),
    );
    const [held] = at < 0 ? [] : this.#requests.splice(at, 1);
    if (held === undefined) return;
    // Made in the registry's own turn: what follows from a promise goes on in the turn that has made it.
    await runInDurableObject(this.#registry, () => held.settle(reply()));
    await this.#registry.partitionCount();
  }

  /** The first operation that waits has this answer. */
  async #answered(answer: Answer): Promise<void> {
    const waiting = this.#waiting.shift();
    if (waiting?.outcome === undefined) return;
    const [is, incarnation, created] = await waiting.outcome;
    expect([waiting.kind, is]).toEqual([waiting.kind, answer.is === "noproc" ? "unknown" : answer.is]);
    if (answer.is !== "bucket" || incarnation === undefined) return;
    expect(incarnation).toBe(this.#incarnations[numberOf(answer.row.incarnation)]);
    if (created !== undefined) expect(created).toBe(answer.created);
  }

  async #crash(isOnDisk: boolean): Promise<void> {
    if (isOnDisk)
      await runInDurableObject(this.#registry, (_, ctx) => ctx.abort("made to end")).catch(() => undefined);
    else await abortObject(this.#registry);
    this.#requests = [];
    this.#notices = [];
    this.#waiting = [];
    await this.#alarm;
    await runInDurableObject(this.#registry, () => undefined);
  }

  /** Compares the row and the events with the model's. */
  async isAs({ row, incarnations }: Name): Promise<void> {
    const [found, events] = await runInDurableObject(this.#registry, (_, { storage }) => {
      const isUsed =
        storage.sql.exec("SELECT 1 FROM sqlite_schema WHERE name = 'names'").toArray().length > 0;
      return isUsed
        ? [new Names(storage.sql).find(NAME), new Events(storage.sql, 1).after(0, 1_000, NAME)]
        : [undefined, []];
    });
    const seen = found && {
      n: this.#incarnations.indexOf(found.incarnation),
      state: found.state,
      attempts: found.attempts,
    };
    expect(seen, "the row").toEqual(
      row === null ? undefined : { n: numberOf(row.incarnation), state: row.state, attempts: row.attempts },
    );
    const kindsOf = (n: number): string[] =>
      events.filter(({ incarnation }) => incarnation === this.#incarnations[n]).map(({ kind }) => kind);
    const wanted = incarnations.map(({ created, down }) => [
      ...(created ? ["created"] : []),
      ...(down ? ["DOWN"] : []),
    ]);
    expect(
      incarnations.map((_, n) => kindsOf(n)),
      "the events",
    ).toEqual(wanted);
    expect(events.length, "no other events").toBe(wanted.flat().length);
  }

  /** Waits until a message is held for which this is so. */
  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  get #registry(): DurableObjectStub<TestRegistry> {
    return env.REGISTRY.get(this.#id);
  }
}

const isNotice = (action: Action): boolean => action.does === "deliver" && action.message.is === "down";

/** Whether the registry runs a step in this action. */
function runsStep(action: Action): boolean {
  if (action.does === "deliver") return action.message.is !== "start" && action.message.is !== "stop";
  return action.does === "ask" || action.does === "deadline" || action.does === "alarm";
}
