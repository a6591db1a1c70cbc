/** One timer for the deadlines of many calls. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Kv } from "../../src/client/index.ts";
import { SharedDeadline } from "../../src/client/shared-deadline.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Calls with deadlines, and those that were ended, with the time. */
function calls() {
  const open = new Set<number>();
  const ended: [until: number, at: number][] = [];
  const begun = performance.now();
  const shared = new SharedDeadline((now) => {
    for (const until of open) {
      if (until > now) continue;
      open.delete(until);
      ended.push([until - begun, now - begun]);
    }
    return open.size === 0 ? undefined : Math.min(...open);
  });
  return {
    ended,
    shared,
    open: (ms: number) => {
      open.add(begun + ms);
      shared.watch(begun + ms);
    },
    close: (ms: number) => open.delete(begun + ms),
  };
}

describe("a shared deadline", () => {
  it("ends each call at its own time, in whatever order they came", () => {
    const { open, ended } = calls();
    for (const ms of [300, 100, 200, 5_000]) open(ms);
    vi.advanceTimersByTime(99);
    expect(ended).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(ended).toEqual([[100, 100]]);
    vi.advanceTimersByTime(4_900);
    expect(ended).toEqual([
      [100, 100],
      [200, 200],
      [300, 300],
      [5_000, 5_000],
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("has one timer, and none when nothing is waited for", () => {
    const { open, close, shared, ended } = calls();
    for (let ms = 1_000; ms > 900; ms -= 1) open(ms);
    expect(vi.getTimerCount()).toBe(1);
    for (let ms = 1_000; ms > 900; ms -= 1) close(ms);
    shared.stop();
    expect(vi.getTimerCount()).toBe(0);
    open(2_000);
    vi.advanceTimersByTime(2_000);
    expect(ended).toEqual([[2_000, 2_000]]);
  });

  it("does not end a call whose time is longer than a timer can be", () => {
    const { open, ended } = calls();
    open(3_000_000_000);
    vi.advanceTimersByTime(2_900_000_000);
    expect(ended).toEqual([]);
    vi.advanceTimersByTime(100_000_000);
    expect(ended).toEqual([[3_000_000_000, 3_000_000_000]]);
  });
});

/** A connection that opens, and says nothing. */
class Silent extends EventTarget {
  readonly readyState = 1;
  constructor() {
    super();
    queueMicrotask(() => this.dispatchEvent(new Event("open")));
  }
  send(): void {
    // Never answered.
  }
  close(): void {
    // Already as good as closed.
  }
}

describe("the timer of a session", () => {
  it("is gone with the last call, also when one call's time ends others with their connection", async () => {
    const kv = new Kv({
      url: "http://localhost:1",
      timeoutMs: 300,
      retries: 0,
      WebSocket: Silent as unknown as typeof WebSocket,
    });
    const session = kv.bucket<Record<string, number>>("silent").session();
    const long = session.bucket.put("long", 1, { timeoutMs: 8_000 }).catch((error: unknown) => error);
    const short = session.bucket.put("short", 1, { timeoutMs: 400 }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(399);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await short).toMatchObject({ code: "timeout" });
    expect(await long).toMatchObject({ code: "connection_lost" });
    expect(vi.getTimerCount()).toBe(0);
    session.close();
  });
});
