/** Objects with a bug, if the build has one (../broken.ts). */

import { Bucket, Registry } from "../../../src/local/worker.ts";
import type { Registration } from "../../../src/model/registration.ts";
import type { Answered, Reply } from "../../../src/otp/exit.ts";
import { step } from "../../../src/registry/step.ts";
import type { Step } from "../../../src/registry/protocol.ts";
import type { Partition } from "../../../src/rpc/partition.ts";
import { isBroken } from "./broken.ts";

/** How late a put is written that was acknowledged early, in milliseconds. */
const LATE_MS = 50;

export class BrokenBucket extends Bucket {
  override put(...args: Parameters<Bucket["put"]>): ReturnType<Bucket["put"]> {
    if (!isBroken("early ack")) return super.put(...args);
    let answer: ReturnType<Bucket["put"]> | undefined;
    try {
      this.ctx.storage.transactionSync(() => {
        answer = super.put(...args);
        throw new Error("undone");
      });
    } catch {
      this.dropCaches();
    }
    setTimeout(() => void super.put(...args), LATE_MS);
    return answer as Answered<never>;
  }

  /** The data stays, and so does the life. */
  override async stop(reason: string, asker?: string): Promise<Reply<string>> {
    return isBroken("stale id") && this.args !== undefined ? { reply: reason } : super.stop(reason, asker);
  }
}

export class BrokenRegistry extends Registry {
  readonly #first = new Map<string, Registration>();

  override async lookup(caller: Partition, name: string): Promise<Reply<Registration | null>> {
    const found = await super.lookup(caller, name);
    if (!isBroken("stale id") || !("reply" in found)) return found;
    if (found.reply !== null && !this.#first.has(name)) this.#first.set(name, found.reply);
    return { reply: this.#first.get(name) ?? null };
  }

  protected override readonly step: Step = (state, input) => {
    const stepped = step(state, input);
    if (!isBroken("forgotten DOWN") || Math.random() < 0.5) return stepped;
    const isDown = (effect: (typeof stepped.effects)[number]): boolean =>
      effect.does === "record" && effect.event === "DOWN";
    return { ...stepped, effects: stepped.effects.filter((effect) => !isDown(effect)) };
  };
}
