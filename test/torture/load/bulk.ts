/** Many writes, many at once, to find out whether any that was acknowledged is lost. Each key has one writer. */

import { setTimeout as pause } from "node:timers/promises";
import { openTcp, type TcpConversation } from "../../e2e/support/transports.ts";
import type { Target } from "../faults/target.ts";
import { within } from "./callers.ts";
import { createBucket } from "./http.ts";

/** Keys of a writer, which are all written in one go. */
const KEYS = 64;

export class BulkWriter {
  readonly #target: Target;
  readonly #bucket: string;
  /** By key: the last number that was acknowledged, and the last that was sent. They only grow. */
  readonly #acknowledged = Array.from({ length: KEYS }, () => 0);
  readonly #sent = Array.from({ length: KEYS }, () => 0);
  /** By key: numbers whose write had no answer. It may still be carried out, behind later ones. */
  readonly #open = Array.from({ length: KEYS }, () => new Set<number>());
  /** Writes that were acknowledged, and those whose outcome is unknown. */
  writes = 0;
  unknown = 0;
  lost = 0;
  readonly #violations: string[];

  /** @param violations what it finds is added */
  constructor(target: Target, violations: string[], bucket: string) {
    this.#target = target;
    this.#violations = violations;
    this.#bucket = bucket;
  }

  /** Writes until the end, and reads all back after each broken connection, and at the end. */
  async run(isOver: () => boolean): Promise<void> {
    await createBucket(this.#target, this.#bucket);
    for (let round = 1; !isOver();) {
      const conversation = await this.#connect();
      if (conversation === undefined) continue;
      try {
        // If it ends early, replies are left on the connection, which would be taken for those to the next commands.
        if (await this.#verify(conversation)) while (!isOver()) await this.#write(conversation, round++);
        else await pause(50);
      } catch {
        // The connection broke, or gave no answer: what was not acknowledged may be there or not.
      }
      conversation.close();
    }
  }

  /** Reads all back. It has to be called when the faults are over. */
  async verify(): Promise<void> {
    for (;;) {
      const conversation = await this.#connect();
      if (conversation === undefined) continue;
      const isRead = await this.#verify(conversation).catch(() => false);
      conversation.close();
      if (isRead) return;
      await pause(200);
    }
  }

  async #connect(): Promise<TcpConversation | undefined> {
    await this.#target.up;
    return openTcp(this.#target.tcp.port).catch(async () => {
      await pause(20);
      return undefined;
    });
  }

  async #write(conversation: TcpConversation, round: number): Promise<void> {
    const lines = this.#sent.map((_, key) => `PUT ${this.#bucket} k${key} ${round}\n`).join("");
    this.#sent.fill(round);
    const failsSince = this.#target.fsyncFailsSince;
    conversation.send(lines);
    let refused = false;
    for (let key = 0; key < KEYS; key += 1) {
      const answer = await within(conversation.take(1)).catch((error: unknown) => {
        for (let other = key; other < KEYS; other += 1) this.#isUnknown(other, round);
        throw error;
      });
      if (answer === "OK\r\n") {
        // Sent and acknowledged while no fsync has succeeded.
        if (failsSince !== undefined && failsSince === this.#target.fsyncFailsSince)
          this.#violations.push(`3: ${this.#bucket} k${key}: acknowledged while fsync fails`);
        this.#acknowledged[key] = round;
        this.writes += 1;
      } else if (answer === "NOT FOUND\r\n") this.#isLost(`${this.#bucket}: the bucket itself`);
      else {
        refused = true;
        this.#isUnknown(key, round);
      }
    }
    // Not at once again, while it restarts.
    if (refused) await pause(50);
  }

  #isLost(what: string): void {
    this.lost += 1;
    this.#violations.push(what);
  }

  #isUnknown(key: number, round: number): void {
    this.unknown += 1;
    this.#open[key]?.add(round);
  }

  /** @returns whether all could be read */
  async #verify(conversation: TcpConversation): Promise<boolean> {
    const before = [...this.#acknowledged];
    conversation.send(before.map((_, key) => `GET ${this.#bucket} k${key}\n`).join(""));
    for (const [key, atLeast] of before.entries()) {
      const first = await within(conversation.take(1));
      if (first.startsWith("ERROR ")) return false;
      if (first === "NOT FOUND\r\n") {
        this.#isLost(`${this.#bucket}: the bucket itself`);
        return true;
      }
      await within(conversation.take(1));
      const found = Number(first);
      const atMost = this.#sent[key] ?? 0;
      if ((found >= atLeast && found <= atMost) || this.#open[key]?.has(found)) continue;
      this.#isLost(
        `${this.#bucket} k${key}: ${found} is read, ${atLeast} was acknowledged, ${atMost} was sent`,
      );
    }
    return true;
  }
}
