/** How long a command waits for a service that does nothing. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Patience } from "../../src/cli/patience.ts";

describe("patience", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("ends when nothing has come for so long", () => {
    const patience = new Patience(1_000);
    patience.begin();
    vi.advanceTimersByTime(999);
    expect(patience.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(patience.signal.reason).toMatchObject({ code: "timeout" });
  });

  it("begins anew with whatever comes", () => {
    const patience = new Patience(1_000);
    for (let piece = 0; piece < 10; piece += 1) {
      patience.begin();
      vi.advanceTimersByTime(999);
    }
    expect(patience.signal.aborted).toBe(false);
  });

  it("may be longer than a timer's longest time", () => {
    const patience = new Patience(Infinity);
    patience.begin();
    vi.advanceTimersByTime(86_400_000);
    expect(patience.signal.aborted).toBe(false);
  });

  it("rests while it is not the service that is waited for", () => {
    const patience = new Patience(1_000);
    patience.begin();
    patience.rest();
    vi.advanceTimersByTime(3_600_000);
    expect(patience.signal.aborted).toBe(false);
  });
});
