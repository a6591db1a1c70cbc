/** Breaths: long work that lets other requests run. */

import { describe, expect, it } from "vitest";
import { Breath } from "../../src/lib/breath.ts";

/** A breath whose pauses are counted, and whose loop looks when it is told to. */
function counted(units: number) {
  let pauses = 0;
  let looks: (() => void)[] = [];
  const breath = new Breath({
    units,
    pause: async () => {
      pauses += 1;
    },
    looked: (tell) => void looks.push(tell),
  });
  const look = (): void => {
    for (const tell of looks.splice(0)) tell();
    looks = [];
  };
  return { breath, pauses: () => pauses, look, watched: () => looks.length };
}

describe("a breath", () => {
  it("lets others in after so much work, and not before", () => {
    const { breath, pauses } = counted(10);
    for (let n = 0; n < 9; n += 1) expect(breath.take(1)).toBeUndefined();
    expect(breath.take(1)).toBeInstanceOf(Promise);
    expect(pauses()).toBe(1);
    expect(breath.take(9)).toBeUndefined();
    expect(breath.take(1)).toBeInstanceOf(Promise);
    expect(pauses()).toBe(2);
  });

  it("is not needed where the event loop looks by itself, however much is done in all", () => {
    const { breath, pauses, look } = counted(10);
    for (let n = 0; n < 100; n += 1) {
      expect(breath.take(9)).toBeUndefined();
      look();
    }
    expect(pauses()).toBe(0);
  });

  it("is taken all the same where the timer that would tell of a look is gone with its request", () => {
    const { breath, pauses } = counted(10);
    for (let n = 0; n < 30; n += 1) void breath.take(1);
    expect(pauses()).toBe(3);
  });

  it("sets no timer for little work, and counts it all the same", () => {
    const { breath, pauses, look, watched } = counted(16);
    for (let n = 0; n < 3; n += 1) void breath.take(1);
    expect(watched()).toBe(0);
    void breath.take(1);
    expect(watched()).toBe(1);
    look();
    void breath.take(15);
    expect(pauses()).toBe(0);
    void breath.take(1);
    expect(pauses()).toBe(1);
  });

  it("weighs bytes, and JSON more", () => {
    const { breath, pauses } = counted(100);
    void breath.takeBytes(98 * 4_096);
    expect(pauses()).toBe(0);
    void breath.takeJson(512);
    expect(pauses()).toBe(1);
  });
});
