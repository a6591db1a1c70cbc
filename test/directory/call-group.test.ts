/** Calls of one isolate to one bucket that meet. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucket, get, put, TIMEOUT_MS, type Sent } from "../support/grouped-bucket.ts";

/** As {@link bucket}, with a call on its way that was sent alone: the next one leads a group. */
async function busy(options: { readonly crosses?: boolean } = {}) {
  const all = bucket(options);
  const lone = all.call(get("lone"));
  const lead = all.call(get("lead"));
  all.sent[0]?.answer();
  await lone;
  return { ...all, lead, keys: () => all.keys().slice(1), sent: (n: number) => all.sent[n + 1] as Sent };
}

describe("calls to one bucket", () => {
  it("are sent at once if none is on its way, and keep nothing alive", async () => {
    const { call, sent, keys, kept } = bucket();
    const one = call(get("a"));
    expect(keys()).toEqual([["a"]]);
    sent[0]?.answer();
    expect(await one).toEqual({ reply: "a" });
    void call(get("b"));
    expect(keys()).toEqual([["a"], ["b"]]);
    expect(kept).toEqual([]);
  });

  it("do not wait for one that went alone: the first that meets it leads the others", async () => {
    const { call, sent, keys, settled } = bucket();
    const calls = ["a", "b", "c", "d"].map((key) => call(get(key)));
    expect(keys()).toEqual([["a"], ["b"]]);
    sent[0]?.answer();
    await settled();
    expect(keys()).toEqual([["a"], ["b"]]);
    sent[1]?.answer();
    await settled();
    expect(keys()).toEqual([["a"], ["b"], ["c", "d"]]);
    sent[2]?.answer();
    expect(await Promise.all(calls)).toEqual(["a", "b", "c", "d"].map((reply) => ({ reply })));
  });

  it("go alone again once none has met another for a second", async () => {
    const { call, sent, time, kept, settled } = await busy();
    sent(0).answer();
    await settled();
    time.now += 999;
    void call(get("a"));
    expect(kept.length).toBe(4);
    sent(1).answer();
    await settled();
    time.now += 1;
    void call(get("b"));
    expect(kept.length).toBe(4);
  });

  it("wait while a group is on its way, and go together when it returns, in their order, each with its reply", async () => {
    const { call, sent, keys, settled, lead } = await busy();
    const calls = ["b", "c", "d"].map((key) => call(get(key)));
    expect(keys()).toEqual([["lead"]]);
    sent(0).answer();
    expect(await lead).toEqual({ reply: "lead" });
    await settled();
    expect(keys()).toEqual([["lead"], ["b", "c", "d"]]);
    // What comes while the second group is on its way is in the third.
    const late = [call(get("e")), call(get("f"))];
    sent(1).settle({
      reply: [{ reply: "b" }, { refusal: { code: "precondition_failed", message: "" } }, { reply: "d" }],
    });
    expect(await Promise.all(calls)).toMatchObject([
      { reply: "b" },
      { refusal: { code: "precondition_failed" } },
      { reply: "d" },
    ]);
    await settled();
    expect(keys()[2]).toEqual(["e", "f"]);
    sent(2).answer();
    expect(await Promise.all(late)).toEqual([{ reply: "e" }, { reply: "f" }]);
  });

  it("go alone, at once and all at a time, if the answer had no room for them, or the bucket has run none", async () => {
    const { call, sent, keys, settled } = await busy();
    const calls = ["b", "c", "d"].map((key) => call(get(key)));
    sent(0).answer();
    await settled();
    const late = ["e", "f"].map((key) => call(get(key)));
    sent(1).answer(1);
    await settled();
    expect(keys().slice(2)).toEqual([["e", "f"], ["c"], ["d"]]);
    sent(2).answer(0);
    await settled();
    expect(keys().slice(5)).toEqual([["e"], ["f"]]);
    for (const n of [3, 4, 5, 6]) sent(n).answer();
    expect(await Promise.all([...calls, ...late])).toEqual(
      ["b", "c", "d", "e", "f"].map((reply) => ({ reply })),
    );
  });

  it("are not more in a group than 256 operations: more than that go on their way at once", async () => {
    const { call, sent, keys, settled } = await busy();
    for (let n = 0; n < 300; n += 1) void call(get(`k${n}`));
    expect(keys().map(({ length }) => length)).toEqual([1, 256]);
    sent(0).answer();
    await settled();
    expect(keys().length).toBe(2);
    sent(1).answer();
    await settled();
    expect(keys()[2]).toEqual(Array.from({ length: 44 }, (_, n) => `k${256 + n}`));
  });

  it("have no more than 256 KiB of values in a group", async () => {
    const { call, keys } = await busy();
    for (let n = 0; n < 9; n += 1) void call(put(`k${n}`, "v".repeat(60 * 1_024)));
    expect(keys().slice(1)).toEqual([
      ["k0", "k1", "k2", "k3"],
      ["k4", "k5", "k6", "k7"],
    ]);
  });

  it("with a large value go alone, after those that wait, and nobody waits for them", async () => {
    const { call, sent, keys, settled } = await busy();
    void call(get("a"));
    void call(put("large", "v".repeat(65_537)));
    void call(get("b"));
    expect(keys()).toEqual([["lead"], ["a"], ["large"]]);
    sent(1).answer();
    await settled();
    expect(keys()[3]).toEqual(["b"]);
  });

  it("wait for no longer than 20 ms, if the group before has not returned", async () => {
    const { call, sent, keys, time, timers, patienceEnds, settled, lead } = await busy();
    const first = [call(get("a")), call(get("b"))];
    // A timer ends with its request, so that one would not be enough.
    expect(timers.size).toBe(2);
    patienceEnds();
    expect(keys()).toEqual([["lead"], ["a", "b"]]);
    // Also one that comes when the latest group has been on its way for so long.
    time.now += 20;
    const second = call(get("c"));
    expect(keys()[2]).toEqual(["c"]);
    const third = call(get("d"));
    // What the earlier groups bring makes no leader: a later one is on its way.
    for (const n of [0, 1]) sent(n).answer();
    expect(await Promise.all([lead, ...first])).toEqual(["lead", "a", "b"].map((reply) => ({ reply })));
    expect(keys().length).toBe(3);
    sent(2).answer();
    expect(await second).toEqual({ reply: "c" });
    await settled();
    sent(3).answer();
    expect(await third).toEqual({ reply: "d" });
    expect(timers.size).toBe(0);
  });

  it("fail together if their group fails, and those who wait go on", async () => {
    const { call, sent, keys, settled, lead } = await busy();
    const calls = ["b", "c"].map((key) => call(get(key)));
    sent(0).answer();
    await lead;
    await settled();
    const late = call(get("d"));
    sent(1).fail(new Error("Network connection lost."));
    for (const failed of calls) await expect(failed).rejects.toThrow("Network connection lost.");
    await settled();
    expect(keys()[2]).toEqual(["d"]);
    sent(2).answer();
    expect(await late).toEqual({ reply: "d" });
  });

  it("all hear it if the bucket does not live", async () => {
    const { call, sent, settled, lead } = await busy();
    const calls = ["b", "c"].map((key) => call(get(key)));
    sent(0).settle({ exit: "noproc" });
    await settled();
    sent(1).settle({ exit: "restarting" });
    expect(await Promise.all([lead, ...calls])).toEqual([
      { exit: "noproc" },
      { exit: "restarting" },
      { exit: "restarting" },
    ]);
  });

  it("keep their requests alive where others may wait for them, so that one that has gone takes nobody with it", async () => {
    const { call, sent, kept, settled } = await busy();
    const failing = call(get("b"));
    // The leader's call and its group; the other's call.
    expect(kept.length).toBe(3);
    sent(0).answer();
    await settled();
    sent(1).fail(new Error("gone"));
    await expect(failing).rejects.toThrow("gone");
    // What keeps a request alive never fails.
    expect(await Promise.all(kept)).toEqual([undefined, { reply: "lead" }, undefined, undefined]);
  });

  it("whose callers have been told that they timed out are not sent", async () => {
    const { call, sent, keys, time, settled, lead } = await busy();
    const late = call(put("b", "1"));
    time.now += 19;
    const inTime = call(get("c"));
    time.now += TIMEOUT_MS - 19;
    sent(0).answer();
    await lead;
    await expect(late).rejects.toMatchObject({ reason: "timeout" });
    await settled();
    expect(keys()[1]).toEqual(["c"]);
    sent(1).answer();
    expect(await inTime).toEqual({ reply: "c" });
  });

  it("are led by those who wait, if the request that was to lead them is lost", async () => {
    const { call, sent, keys, timers, patienceEnds, settled, lead } = await busy();
    const calls = [call(get("b")), call(get("c"))];
    // The first one's request ends, and with it all that it would have done: its timer, too.
    const [own] = timers;
    timers.delete(own as () => void);
    patienceEnds();
    expect(keys()).toEqual([["lead"], ["b", "c"]]);
    for (const n of [0, 1]) sent(n).answer();
    await settled();
    expect(await Promise.all([lead, ...calls])).toEqual(["lead", "b", "c"].map((reply) => ({ reply })));
  });

  it("each get their own reply, once, in whatever order and however many groups return", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            { weight: 4, arbitrary: fc.constant({ does: "call" as const }) },
            { weight: 1, arbitrary: fc.constant({ does: "call a large one" as const }) },
            {
              weight: 4,
              arbitrary: fc.record({
                does: fc.constant("return" as const),
                which: fc.nat(5),
                // All, some, none; or it fails.
                how: fc.oneof(fc.constant("all" as const), fc.nat(3), fc.constant("fails" as const)),
              }),
            },
            { weight: 2, arbitrary: fc.record({ does: fc.constant("wait" as const), ms: fc.nat(30) }) },
          ),
          { maxLength: 40 },
        ),
        async (steps) => {
          const { call, sent, time, patienceEnds, settled } = bucket();
          const open = new Set<number>();
          const run = new Map<unknown, number>();
          const came: [string, unknown][] = [];
          let known = 0;
          const look = (): void => {
            for (; known < sent.length; known += 1) open.add(known);
          };
          const give = (n: number, how: "all" | "fails" | number): void => {
            const { keys, answer, fail } = sent[n] as Sent;
            open.delete(n);
            // Alone there is nothing to leave out.
            const count = how === "all" || keys.length === 1 ? keys.length : Number(how);
            if (how === "fails") fail(new Error("broken"));
            else answer(count);
            for (const key of how === "fails" ? keys : keys.slice(0, count))
              run.set(key, (run.get(key) ?? 0) + 1);
          };
          let next = 0;
          const calls: Promise<unknown>[] = [];
          const begin = (large: boolean): void => {
            const key = `k${(next += 1)}`;
            const asked = call(large ? put(key, "v".repeat(70_000)) : get(key));
            calls.push(
              asked.then(
                (reply) => came.push([key, reply]),
                () => came.push([key, "failed"]),
              ),
            );
          };
          for (const step of steps) {
            if (step.does === "call" || step.does === "call a large one") begin(step.does !== "call");
            else if (step.does === "wait") {
              time.now += step.ms;
              if (step.ms >= 20) patienceEnds();
            } else {
              const at = [...open][step.which % Math.max(1, open.size)];
              if (at !== undefined) give(at, step.how);
            }
            await settled();
            look();
          }
          while (open.size > 0) {
            for (const n of open) give(n, "all");
            await settled();
            look();
          }
          await Promise.all(calls);
          for (const [key, reply] of came) if (reply !== "failed") expect(reply).toEqual({ reply: key });
          expect([...run.values()].every((times) => times === 1)).toBe(true);
          expect(run.size).toBe(next);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("go each alone where the platform lets no request wait for another", async () => {
    const { call, keys } = bucket({ crosses: false });
    for (const key of ["a", "b", "c"]) void call(get(key));
    expect(keys()).toEqual([["a"], ["b"], ["c"]]);
  });
});
