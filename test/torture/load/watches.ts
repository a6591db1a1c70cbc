/** Watches: one writer, and watchers that have to hear of every change, once and in order, whatever breaks. */

import { setTimeout as pause } from "node:timers/promises";
import { Kv, text } from "../../../src/client/index.ts";
import type { Target } from "../faults/target.ts";
import { ask, createBucket, insist } from "./http.ts";

const WATCHERS = 2;
/** Milliseconds between two writes, so that watchers are behind at times and level at times. */
const PACE_MS = 5;
/** How long a watcher may take to hear of the last change, in milliseconds: faults go on meanwhile. */
const LAST_WITHIN_MS = 20_000;

interface Heard {
  readonly revision: number;
  readonly value: string;
}

export interface Watched {
  readonly changes: number;
  readonly violations: readonly string[];
}

/** Writes and watches until the end. */
export async function watchBucket(target: Target, bucket: string, isOver: () => boolean): Promise<Watched> {
  await createBucket(target, bucket);
  const stop = new AbortController();
  const written = new Map<number, string>();
  const violations: string[] = [];
  const watchers = Array.from({ length: WATCHERS }, (_, n) => new Watcher(target, bucket, n));
  const watching = watchers.map((watcher) => watcher.run(stop.signal));
  for (let n = 1; !isOver(); n += 1) {
    const answer = await ask(target, "PUT", `/v1/buckets/${bucket}/keys/k${n % 7}`, { body: `w${n}` });
    if (answer !== undefined && answer.status < 300) written.set(revisionOf(answer.etag), `w${n}`);
    else if (answer !== undefined) violations.push(`${bucket}: a put got ${answer.status} ${answer.text}`);
    await pause(PACE_MS);
  }
  const last = await lastWrite(target, bucket);
  for (const watcher of watchers) await watcher.hears(last);
  stop.abort();
  await Promise.all(watching);
  for (const watcher of watchers) violations.push(...watcher.check(written, last));
  return { changes: last * WATCHERS, violations };
}

/** Writes once more, as often as that takes. @returns its revision */
async function lastWrite(target: Target, bucket: string): Promise<number> {
  const { etag } = await insist(target, "PUT", `/v1/buckets/${bucket}/keys/last`, { body: "last" });
  return revisionOf(etag);
}

const revisionOf = (etag: string): number => Number(/-(\d+)"$/.exec(etag)?.[1]);

class Watcher {
  readonly #target: Target;
  readonly #bucket: string;
  readonly #n: number;
  readonly #heard: Heard[] = [];
  readonly #errors: string[] = [];
  #since: string | number = 0;

  constructor(target: Target, bucket: string, n: number) {
    this.#target = target;
    this.#bucket = bucket;
    this.#n = n;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#target.up;
      try {
        const kv = new Kv({ url: this.#target.url });
        const watch = kv.bucket(this.#bucket, { codec: text }).watch({ since: this.#since, signal });
        for await (const change of watch) {
          if (change.event !== "put") continue;
          this.#since = change.id;
          this.#heard.push({ revision: change.revision, value: change.value ?? "" });
        }
      } catch (error) {
        if (signal.aborted) return;
        const { code } = error as { readonly code?: string };
        // The service has said that it can't go on from there.
        if (code === "revision_compacted" || code === "bucket_not_found") {
          this.#errors.push(code);
          return;
        }
      }
      await pause(50);
    }
  }

  /** Waits until it has heard of this change. */
  async hears(revision: number): Promise<void> {
    for (let waited = 0; waited < LAST_WITHIN_MS; waited += 50) {
      if ((this.#heard.at(-1)?.revision ?? 0) >= revision) return;
      await pause(50);
    }
  }

  /** Ordered, unique, complete, and what was acknowledged. */
  check(written: ReadonlyMap<number, string>, last: number): string[] {
    const who = `${this.#bucket}, watcher ${this.#n}`;
    const violations = this.#errors.map((code) => `${who}: ${code}`);
    // A write that had no answer may still come behind the last one.
    const heard = this.#heard.filter(({ revision }) => revision <= last);
    heard.forEach(({ revision, value }, at) => {
      if (revision !== at + 1) violations.push(`${who}: heard of revision ${revision} in place of ${at + 1}`);
      const acknowledged = written.get(revision);
      if (acknowledged !== undefined && acknowledged !== value)
        violations.push(`${who}: revision ${revision} is ${value}, and ${acknowledged} was acknowledged`);
    });
    if (heard.length !== last)
      violations.push(`${who}: heard of ${heard.length} changes, and there were ${last}`);
    return violations.slice(0, 5);
  }
}
