/** Restart kinds and restart intensity. */

import { describe, expect, it } from "vitest";
import { mayTryAgain, restarted, type RestartCount } from "../../src/otp/restart.ts";

const at = (...times: readonly number[]): RestartCount =>
  times.reduce<RestartCount>((count, time) => restarted(count, time, "boom"), { restarts: 0, recent: [] });

describe("restart intensity", () => {
  it("allows three restarts in five seconds", () => {
    expect(at(0, 1, 2)).toEqual({ restarts: 3, recent: [0, 1, 2] });
  });

  it("is reached by the fourth", () => {
    expect(at(0, 1, 2, 4_999)).toMatchObject({ restarts: 4, givenUp: "boom" });
  });

  it("forgets what is five seconds ago", () => {
    expect(at(0, 1, 2, 5_000)).toEqual({ restarts: 4, recent: [1, 2, 5_000] });
  });

  it("lets it be tried again when the window has passed", () => {
    const count = at(0, 1, 2, 3);
    expect(mayTryAgain(count, 5_002)).toBe(false);
    expect(mayTryAgain(count, 5_003)).toBe(true);
  });

  it("is not reached by restarts that are in the future because the clock was put back", () => {
    expect(at(3_600_000, 3_600_001, 3_600_002, 0)).toEqual({ restarts: 4, recent: [0] });
    expect(mayTryAgain(at(3_600_000, 3_600_000, 3_600_000, 3_600_000), 0)).toBe(true);
  });

  it("forgets when the clock was put forward", () => {
    expect(at(0, 1, 2, 3_600_000)).toEqual({ restarts: 4, recent: [3_600_000] });
    expect(mayTryAgain(at(0, 0, 0, 0), 3_600_000)).toBe(true);
  });
});
