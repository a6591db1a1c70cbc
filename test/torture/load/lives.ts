/** Lives of buckets: each owner creates, fills and ends buckets under names of its own, and looks from outside at what is so. */

import { setTimeout as pause } from "node:timers/promises";
import type { Target } from "../faults/target.ts";
import type { Random } from "../../support/random.ts";
import { ask } from "./http.ts";

/** What is known of an incarnation. */
export interface Life {
  readonly name: string;
  /** The reasons that its DOWN may give; none: it has not been ended. */
  readonly reasons: Set<string>;
  /** Whether its end was acknowledged. */
  ended: boolean;
}

/** Whether a failpoint has made the bucket crash. */
export const isCrash = (reason: string): boolean => reason.startsWith("crash: torture");

interface Description {
  readonly incarnation: string;
  readonly metadata?: { readonly by?: string };
}

/** Names of one owner. */
const NAMES = 5;

export class Owner {
  readonly #target: Target;
  readonly #random: Random;
  readonly #label: string;
  readonly lives = new Map<string, Life>();
  readonly #violations: string[];
  /** By name: reasons of ends that had no answer. One may still arrive, and end a later bucket. */
  readonly #unanswered = new Map<string, Set<string>>();
  #tokens = 0;

  /** @param violations what it finds is added */
  constructor(target: Target, violations: string[], random: Random, label: string) {
    this.#target = target;
    this.#violations = violations;
    this.#random = random;
    this.#label = label;
  }

  async run(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const name = `${this.#label}-${this.#random.below(NAMES)}`;
      const incarnation = await this.#create(name);
      if (incarnation !== undefined) await this.#fill(name, incarnation);
      await this.#end(name, incarnation);
      await pause(10);
    }
  }

  /** @returns the incarnation, if it is known */
  async #create(name: string): Promise<string | undefined> {
    this.#tokens += 1;
    const by = `${this.#label}/${this.#tokens}`;
    const body = JSON.stringify({ restart: "temporary", metadata: { by } });
    const answer = await ask(this.#target, "PUT", this.#path(name), { body });
    if (answer === undefined) return undefined;
    // An earlier one that had no answer, or an end that had none: it is there, with other options.
    if (answer.code === "bucket_exists_differently") return undefined;
    if (answer.status >= 300) {
      this.#violates(`${name}: a create got ${answer.status} ${answer.text}`);
      return undefined;
    }
    const { incarnation, metadata } = JSON.parse(answer.text) as Description;
    if (metadata?.by !== by)
      this.#violates(`2: ${name}: the create of ${by} got the bucket of ${metadata?.by}`);
    if (answer.status === 201 && this.lives.has(incarnation))
      this.#violates(`2: ${name}: ${incarnation} was created twice`);
    this.lives.set(incarnation, { name, reasons: new Set(this.#unanswered.get(name)), ended: false });
    return incarnation;
  }

  /** Its own data is there, and none of an earlier bucket of its name. */
  async #fill(name: string, incarnation: string): Promise<void> {
    const key = `${this.#path(name)}/keys/mark`;
    const before = await ask(this.#target, "GET", key);
    if (before?.status === 200)
      this.#violates(`1: ${name}: new, and it has ${before.text}, of an earlier bucket`);
    const put = await ask(this.#target, "PUT", key, { body: incarnation });
    if (put === undefined || put.status >= 300) return;
    const after = await ask(this.#target, "GET", key);
    if (after?.status === 200 && after.text !== incarnation)
      this.#violates(`3: ${name}: ${incarnation} was stored, and ${after.text} is read`);
  }

  async #end(name: string, incarnation: string | undefined): Promise<void> {
    // Also those whose end had no answer: this one may be what ends them.
    const open = [...this.lives.values()].filter((life) => life.name === name && !life.ended);
    const isStop = incarnation === undefined || this.#random.below(2) === 0;
    const reason = isStop ? "normal" : "shutdown";
    for (const life of open) life.reasons.add(reason);
    const answer = isStop
      ? await ask(this.#target, "DELETE", this.#path(name))
      : await ask(this.#target, "POST", `${this.#path(name)}/exit`, { body: JSON.stringify({ reason }) });
    // Unless its name is known to be free, whoever comes next begins with a stop that has an answer.
    if (answer === undefined)
      this.#unanswered.set(name, new Set([...(this.#unanswered.get(name) ?? []), reason]));
    if (answer === undefined || (answer.status >= 300 && answer.status !== 404)) return;
    for (const life of open) life.ended = true;
    const found = await ask(this.#target, "GET", this.#path(name));
    if (found?.status !== 200) return;
    const { incarnation: now } = JSON.parse(found.text) as Description;
    // One whose create had no answer may come after this stop: its request was still on its way.
    if (now === incarnation || this.lives.get(now)?.ended === true)
      this.#violates(`1: ${name}: ${now} is found after its end was acknowledged`);
  }

  #path(name: string): string {
    return `/v1/buckets/${name}`;
  }

  #violates(what: string): void {
    this.#violations.push(what);
  }
}
