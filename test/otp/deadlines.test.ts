/** Deadlines of calls. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Deadlines } from "../../src/otp/deadlines.ts";

const never = (): Promise<never> => new Promise(() => undefined);

describe("a deadline", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("lets through what comes in time, success and failure alike", async () => {
    const deadlines = new Deadlines(100);
    expect(await deadlines.within(Promise.resolve(1))).toBe(1);
    await expect(deadlines.within(Promise.reject(new Error("no")))).rejects.toThrow("no");
  });

  it("is each promise's own, counted from when it came", async () => {
    const deadlines = new Deadlines(100);
    const expired: string[] = [];
    const watch = (name: string): void => {
      deadlines
        .within(never())
        .catch((error: { reason: string }) => expired.push(`${name}: ${error.reason}`));
    };
    watch("first");
    await vi.advanceTimersByTimeAsync(60);
    watch("second");
    await vi.advanceTimersByTimeAsync(39);
    expect(expired).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(expired).toEqual(["first: timeout"]);
    await vi.advanceTimersByTimeAsync(60);
    expect(expired).toEqual(["first: timeout", "second: timeout"]);
  });

  it.each([
    ["back", -3_600_000],
    ["forward", 3_600_000],
  ])("is no later because the clock is put %s", async (_, jump) => {
    const deadlines = new Deadlines(100);
    const expired: string[] = [];
    const watch = (name: string): void => void deadlines.within(never()).catch(() => expired.push(name));
    watch("before");
    await vi.advanceTimersByTimeAsync(50);
    vi.setSystemTime(Date.now() + jump);
    watch("after");
    await vi.advanceTimersByTimeAsync(50);
    expect(expired).toContain("before");
    await vi.advanceTimersByTimeAsync(100);
    expect(expired).toEqual(["before", "after"]);
  });

  it("is no sooner because the clock is put back", async () => {
    const deadlines = new Deadlines(5_000);
    const settled = vi.fn<() => void>();
    deadlines.within(never()).catch(settled);
    vi.setSystemTime(Date.now() - 3_600_000);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(251);
    expect(settled).toHaveBeenCalled();
  });

  it("uses one timer for any number of promises, and none once they have settled", async () => {
    const deadlines = new Deadlines(100);
    await Promise.all(Array.from({ length: 50 }, () => deadlines.within(Promise.resolve())));
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(vi.getTimerCount()).toBe(0);
    void deadlines.within(never()).catch(() => undefined);
    expect(vi.getTimerCount()).toBe(1);
  });

  it("keeps no object awake long after its answers have come, however long they might have taken", async () => {
    const deadlines = new Deadlines(5_000);
    await deadlines.within(Promise.resolve());
    await vi.advanceTimersByTimeAsync(250);
    expect(vi.getTimerCount()).toBe(0);
  });
});
