/** The limit on the time without progress. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { IdleTimeout } from "../../src/cli/idle-timeout.ts";

describe("an idle timeout", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("ends after that time without progress", () => {
    const idle = new IdleTimeout(1_000);
    idle.restart();
    vi.advanceTimersByTime(999);
    expect(idle.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(idle.signal.reason).toMatchObject({ code: "timeout" });
  });

  it("starts again with each piece of progress", () => {
    const idle = new IdleTimeout(1_000);
    for (let piece = 0; piece < 10; piece += 1) {
      idle.restart();
      vi.advanceTimersByTime(999);
    }
    expect(idle.signal.aborted).toBe(false);
  });

  it("may be longer than the longest timer", () => {
    const idle = new IdleTimeout(Infinity);
    idle.restart();
    vi.advanceTimersByTime(86_400_000);
    expect(idle.signal.aborted).toBe(false);
  });

  it("is paused while the command itself is busy", () => {
    const idle = new IdleTimeout(1_000);
    idle.restart();
    idle.pause();
    vi.advanceTimersByTime(3_600_000);
    expect(idle.signal.aborted).toBe(false);
  });
});
