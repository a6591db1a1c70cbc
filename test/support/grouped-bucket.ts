/** A bucket for the tests of calls that travel together: it answers when the test says so. */

import { CallGroup, type Sender } from "../../src/directory/call-group.ts";
import type { Reply } from "../../src/otp/exit.ts";
import type { BucketCall, GroupReply } from "../../src/rpc/bucket-calls.ts";

export const TIMEOUT_MS = 1_500;

export const get = (key: string): BucketCall => ["get", key, {}];
export const put = (key: string, value: string): BucketCall => ["put", key, value];

export interface Sent {
  readonly keys: readonly unknown[];
  /** Replies to the first calls with their keys; to all if left out. */
  readonly answer: (count?: number) => void;
  readonly settle: (reply: Reply<GroupReply>) => void;
  readonly fail: (error: Error) => void;
}

/** A bucket that answers when the test says so. */
export function bucket(options: { readonly crosses?: boolean; readonly crowd?: number } = {}) {
  const sent: Sent[] = [];
  const kept: Promise<unknown>[] = [];
  const time = { now: 0 };
  const timers = new Set<() => void>();
  const group = new CallGroup({
    timeoutMs: TIMEOUT_MS,
    crosses: true,
    crowd: 1,
    clock: () => time.now,
    after: (_ms, then) => {
      timers.add(then);
      return () => timers.delete(then);
    },
    ...options,
  });
  const send = (calls: readonly BucketCall[]): Promise<Reply<GroupReply>> =>
    new Promise((resolve, reject) => {
      const keys = calls.map(([, key]) => key);
      sent.push({
        keys,
        settle: resolve,
        answer: (count = keys.length) =>
          resolve({ reply: keys.slice(0, count).map((key) => ({ reply: key })) }),
        fail: reject,
      });
    });
  const sender: Sender = {
    alone: async (one) => {
      const answer = await send([one]);
      return "reply" in answer ? (answer.reply[0] as Reply<unknown>) : answer;
    },
    send,
    keepAlive: (promise) => kept.push(promise),
  };
  const call = (one: BucketCall): Promise<Reply<unknown>> => group.call(one, sender);
  /** Lets all that is ready run. */
  const settled = (): Promise<void> => scheduler.wait(0);
  /** Lets the time of those who wait be over. */
  const patienceEnds = (): void => {
    for (const then of timers) then();
  };
  return { sent, kept, time, timers, patienceEnds, call, settled, keys: () => sent.map(({ keys }) => keys) };
}
