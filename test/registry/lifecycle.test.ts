/** What a verdict does to a name that has gone another way since its probe was sent. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { Lifecycle } from "../../src/registry/lifecycle.ts";
import { EventSockets } from "../../src/registry/event-sockets.ts";
import { Events } from "../../src/registry/events.ts";
import type { Registration } from "../../src/model/registration.ts";
import { Names } from "../../src/registry/names.ts";
import { nameRow } from "../support/rows.ts";

const totals = { entries: 1, bytes: 2, revision: 3 };
const starting = nameRow();

interface Shelf {
  readonly names: Names;
  readonly lifecycle: Lifecycle;
  readonly kinds: () => string[];
  readonly row: () => Registration;
  /** Objects that no name leads to any more. */
  readonly freed: string[];
}

/** Lifecycle with one running name. */
function withLifecycle(test: (shelf: Shelf) => void): Promise<void> {
  return runInDurableObject(env.REGISTRY.get(env.REGISTRY.newUniqueId()), (_, ctx) => {
    const names = new Names(ctx.storage.sql);
    const events = new Events(ctx.storage.sql, 100);
    names.createTables();
    events.createTables();
    const freed: string[] = [];
    const lifecycle = new Lifecycle({
      ctx,
      names,
      events,
      followers: new EventSockets(ctx),
      clock: () => 1_000,
      recheckMs: 5_000,
      checkBy: () => undefined,
      freed: (id) => void freed.push(id),
    });
    lifecycle.starting(starting, 0);
    lifecycle.running(starting);
    test({
      names,
      lifecycle,
      kinds: () => events.after(0, 100).map(({ kind }) => kind),
      row: () => names.find("milk") as Registration,
      freed,
    });
  });
}

describe("an end", () => {
  it("frees the object once, however often it is heard, and never that of a bucket which has the name by then", () =>
    withLifecycle(({ lifecycle, row, freed }) => {
      const before = row();
      lifecycle.down({ ...before, incarnation: "another" }, "normal");
      expect(freed).toEqual([]);
      lifecycle.down(before, "normal");
      lifecycle.down(before, "normal");
      expect(freed).toEqual([before.id]);
      lifecycle.starting({ ...before, id: "successor", incarnation: "successor" }, 0);
      lifecycle.down(before, "normal");
      expect(freed).toEqual([before.id]);
    }));
});

describe("a verdict that comes late", () => {
  it("“gone” does not free a name whose stop is under way: that has the reason", () =>
    withLifecycle(({ lifecycle, row, kinds }) => {
      const before = row();
      lifecycle.stopping(before, 0);
      lifecycle.judged(before, { kind: "free", reason: "noproc" });
      expect(row()).toMatchObject({ state: "stopping" });
      lifecycle.down(before, "normal");
      lifecycle.judged(before, { kind: "free", reason: "noproc" });
      expect(kinds()).toEqual(["created", "DOWN"]);
    }));

  it("“alive” does not take back that the bucket was given up on", () =>
    withLifecycle(({ lifecycle, row, kinds }) => {
      const before = row();
      lifecycle.restarted(before, { reason: "boom", restarts: 4, givenUp: true });
      lifecycle.judged(before, { kind: "alive", totals });
      expect(row()).toMatchObject({ state: "unreachable", reason: "boom", probe: null });
      expect(kinds()).toEqual(["created", "RESTARTED", "unreachable"]);
    }));

  it("“failed” does not make one suspect that is unreachable, or was found well, since", () =>
    withLifecycle(({ lifecycle, row }) => {
      const before = row();
      lifecycle.restarted(before, { reason: "boom", restarts: 4, givenUp: true });
      lifecycle.judged(before, { kind: "suspect", reason: "timeout", checkInMs: 5_000 });
      expect(row()).toMatchObject({ state: "unreachable", reason: "boom" });
      const unreachable = row();
      lifecycle.judged(unreachable, { kind: "alive", totals });
      lifecycle.judged(unreachable, { kind: "unreachable", reason: "timeout", checkInMs: 5_000 });
      expect(row()).toMatchObject({ state: "running", probe: totals });
    }));

  it("leaves the reason of a bucket that was given up on, however often it is looked at", () =>
    withLifecycle(({ lifecycle, row }) => {
      lifecycle.restarted(row(), { reason: "boom", restarts: 4, givenUp: true });
      lifecycle.judged(row(), { kind: "unreachable", reason: undefined, checkInMs: 5_000 });
      expect(row()).toMatchObject({ state: "unreachable", reason: "boom", attempts: 4 });
    }));

  it("of a bucket that has lost its name moves nothing", () =>
    withLifecycle(({ lifecycle, names, row }) => {
      const before = row();
      lifecycle.down(before, "normal");
      lifecycle.starting({ ...starting, incarnation: "bbbb" }, 0);
      lifecycle.running({ ...starting, incarnation: "bbbb" });
      for (const verdict of [
        { kind: "free", reason: "noproc" },
        { kind: "alive", totals },
        { kind: "suspect", reason: "timeout", checkInMs: 1 },
      ] as const) {
        lifecycle.judged(before, verdict);
      }
      expect(names.find("milk")).toMatchObject({ incarnation: "bbbb", state: "running", probe: null });
    }));
});
