/** Exits, monitors, events and metrics over HTTP. */

import { exports } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { refOf } from "../../src/model/incarnation.ts";
import { Names } from "../../src/registry/names.ts";
import { PARTITIONS } from "../support/directories.ts";
import { abortObject, bucketOf, registryOf, rowOf, wipeBehind } from "../support/faults.ts";
import { nameRow } from "../support/rows.ts";
import { clock } from "../support/objects.ts";
import { SseReader } from "../support/sse.ts";

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  exports.default.fetch(new Request(`http://localhost/v1${path}`, init));
const create = (name: string, restart = "temporary"): Promise<Response> =>
  ask(`/buckets/${name}`, { method: "PUT", body: JSON.stringify({ restart }) });
const exit = (name: string, reason: unknown): Promise<Response> =>
  ask(`/buckets/${name}/exit`, { method: "POST", body: JSON.stringify({ reason }) });

async function follow(path: string, lastId?: string): Promise<SseReader> {
  const response = await ask(path, lastId === undefined ? {} : { headers: { "Last-Event-ID": lastId } });
  expect(response.status).toBe(200);
  expect(response.headers.get("Content-Type")).toBe("text/event-stream; charset=utf-8");
  return new SseReader(response).begun();
}

describe("POST /v1/buckets/{b}/exit", () => {
  it("ends a temporary bucket: 202, and the next lookup is a miss", async () => {
    await create("exited");
    expect((await exit("exited", "shutdown")).status).toBe(202);
    expect((await ask("/buckets/exited")).status).toBe(404);
  });

  it("restarts a permanent one, which keeps what it has and counts it", async () => {
    await create("restarted", "permanent");
    await ask("/buckets/restarted/keys/milk", { method: "PUT", body: "1" });
    expect((await exit("restarted", "kill")).status).toBe(202);
    expect(await (await ask("/buckets/restarted/keys/milk")).text()).toBe("1");
    expect(await (await ask("/buckets/restarted")).json()).toMatchObject({
      status: "running",
      restart: "permanent",
      restarts: 1,
      lastReason: "killed",
      entries: 1,
    });
  });

  it("normal does nothing: 202", async () => {
    await create("normal");
    expect((await exit("normal", "normal")).status).toBe(202);
    expect((await ask("/buckets/normal")).status).toBe(200);
  });

  it.each([
    ["no reason", undefined, 400, "body_invalid"],
    ["a reason that is no text", 7, 400, "body_invalid"],
    ["an empty reason", "", 400, "reason_invalid"],
    ["a reason that is too long", "x".repeat(257), 400, "reason_invalid"],
  ])("refuses %s", async (_, reason, status, code) => {
    await create("refused");
    const response = await exit("refused", reason);
    expect([response.status, await response.json()]).toMatchObject([status, { code }]);
  });

  it("of what is not there is 404", async () => {
    expect((await exit("unknown", "kill")).status).toBe(404);
  });
});

describe("GET /v1/buckets/{b}", () => {
  it("shows what the last probe brought where the bucket can't be reached now", async () => {
    await create("given-up", "permanent");
    // Four ends within five seconds, however busy the machine is.
    clock.stoppedAt = Date.now();
    for (let count = 0; count < 4; count += 1) await exit("given-up", "boom");
    clock.stoppedAt = undefined;
    expect(await (await ask("/buckets/given-up")).json()).toMatchObject({
      status: "unreachable",
      restarts: 4,
      lastReason: "boom",
    });
    const get = await ask("/buckets/given-up/keys/milk");
    expect([get.status, await get.json()]).toMatchObject([503, { code: "restart_intensity" }]);
    const { states } = await (await ask("/registry")).json<{ states: { unreachable: number } }>();
    expect(states.unreachable).toBe(1);
    await ask("/buckets/given-up", { method: "DELETE" });
  });

  it("shows the age of its totals", async () => {
    await create("aged");
    // The age is the Worker's word, and its clock is the real one.
    const before = Date.now();
    const body = await (await ask("/buckets/aged")).json<{ probedAt: string; probeAgeMs: number }>();
    const after = Date.now();
    expect(Date.parse(body.probedAt)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(body.probedAt)).toBeLessThanOrEqual(after);
    expect(body.probeAgeMs).toBeLessThanOrEqual(after - before);
  });
});

describe("GET /metrics", () => {
  it("says the same in Prometheus's format", async () => {
    await create("measured");
    const { partitions, states } = await (
      await ask("/registry")
    ).json<{ partitions: number; states: { running: number } }>();
    const response = await exports.default.fetch(new Request("http://localhost/metrics"));
    expect(response.headers.get("Content-Type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const text = await response.text();
    expect(text).toContain(`\ndurable_kv_buckets{state="running"} ${states.running}\n`);
    expect(text).toContain(
      `# HELP durable_kv_partitions Registry partitions.\n# TYPE durable_kv_partitions gauge\ndurable_kv_partitions ${partitions}\n`,
    );
    expect(text).toMatch(/^# TYPE durable_kv_sweep_rows_written_total counter$/m);
    expect(text.replaceAll(/^(# (HELP|TYPE) .+|[a-z_]+(\{[a-z]+="[a-z]+"\})? \d+)\n/gm, "")).toBe("");
  });
});

describe("GET /v1/registry", () => {
  it("counts the names in each state", async () => {
    const before = await (await ask("/registry")).json<{ names: number; states: { running: number } }>();
    await create("counted-1");
    await create("counted-2");
    expect(await (await ask("/registry")).json()).toMatchObject({
      partitions: PARTITIONS,
      names: before.names + 2,
      states: { starting: 0, running: before.states.running + 2, suspect: 0, unreachable: 0, stopping: 0 },
    });
  });
});

describe("GET /v1/buckets/{b}/monitor", () => {
  it("tells of DOWN, with its reason, and ends", async () => {
    await create("watched");
    const incarnation = (await rowOf("watched"))?.incarnation;
    const events = await follow("/buckets/watched/monitor");
    await exit("watched", "out of stock");
    expect(await events.next()).toMatchObject({
      event: "DOWN",
      data: { name: "watched", incarnation, reason: "out of stock" },
    });
    expect(await events.next()).toBeUndefined();
    // Who comes back after the end is told to stay away.
    const back = await ask("/buckets/watched/monitor", { headers: { "Last-Event-ID": events.lastId } });
    expect(back.status).toBe(204);
  });

  it("on what is not there is DOWN noproc at once", async () => {
    const events = new SseReader(await ask("/buckets/not-there/monitor"));
    expect(await events.next()).toMatchObject({ event: "DOWN", data: { reason: "noproc" } });
    expect(await events.next()).toBeUndefined();
    const back = await ask("/buckets/not-there/monitor", {
      headers: { "Last-Event-ID": events.lastId },
    });
    expect(back.status).toBe(204);
  });

  it("follows one incarnation, and not the next bucket of the name", async () => {
    await create("next-one");
    const events = await follow("/buckets/next-one/monitor");
    await ask("/buckets/next-one", { method: "DELETE" });
    await create("next-one");
    await exit("next-one", "boom");
    expect(await events.next()).toMatchObject({ event: "DOWN", data: { reason: "normal" } });
    expect(await events.next()).toBeUndefined();
  });

  it("tells of RESTARTED, and goes on", async () => {
    await create("restarting", "permanent");
    const events = await follow("/buckets/restarting/monitor");
    await exit("restarting", "boom");
    expect(await events.next()).toMatchObject({ event: "RESTARTED", data: { reason: "boom" } });
    await ask("/buckets/restarting", { method: "DELETE" });
    expect(await events.next()).toMatchObject({ event: "DOWN", data: { reason: "normal" } });
  });

  it("survives a restart of the registry, and hears what happened meanwhile", async () => {
    await create("survives");
    const events = await follow("/buckets/survives/monitor");
    await abortObject(registryOf("survives"));
    await ask("/buckets/survives", { method: "DELETE" });
    expect(await events.next()).toMatchObject({ event: "DOWN", data: { reason: "normal" } });
  });

  it("resumes behind Last-Event-ID", async () => {
    await create("resumed", "permanent");
    const events = await follow("/buckets/resumed/monitor");
    await exit("resumed", "one");
    await events.next();
    await events.close();
    await exit("resumed", "two");
    await ask("/buckets/resumed", { method: "DELETE" });
    const again = await follow("/buckets/resumed/monitor", events.lastId);
    expect(await again.next()).toMatchObject({ event: "RESTARTED", data: { reason: "two" } });
    expect(await again.next()).toMatchObject({ event: "DOWN", data: { reason: "normal" } });
  });

  it("does not fall behind because its bucket is quiet while others fill the log", async () => {
    await create("quiet");
    const events = await follow("/buckets/quiet/monitor");
    const began = events.lastId;
    await runInDurableObject(registryOf("quiet"), async (instance, { storage }) => {
      const names = new Names(storage.sql);
      for (let count = 0; count < 600; count += 1) {
        const noise = nameRow({ name: `noise-${count}`, state: "running" });
        names.insert(noise, 0);
        await instance.notify({ kind: "down", ref: refOf(noise), reason: "normal" });
      }
    });
    await expect
      .poll(async () => {
        await events.comment();
        return events.lastId;
      })
      .not.toBe(began);
    await events.close();
    expect(Number.parseInt(events.lastId, 10)).toBeGreaterThanOrEqual(Number.parseInt(began, 10) + 256);
    const again = await follow("/buckets/quiet/monitor", events.lastId);
    await ask("/buckets/quiet", { method: "DELETE" });
    expect(await again.next()).toMatchObject({ event: "DOWN", data: { reason: "normal" } });
  });

  it("reports a bucket whose storage was wiped without a notice, once a probe finds it", async () => {
    await create("wiped-watched");
    const events = await follow("/buckets/wiped-watched/monitor");
    await wipeBehind((await rowOf("wiped-watched"))?.id ?? "");
    expect((await ask("/buckets/wiped-watched/keys/milk")).status).toBe(404);
    expect(await events.next()).toMatchObject({ event: "DOWN", data: { reason: "noproc" } });
  });
});

describe("GET /v1/events", () => {
  it("tells of everything that happens, in every partition", async () => {
    const events = await follow("/events");
    const names = ["all-a", "all-b", "all-c", "all-d"];
    for (const name of names) {
      await create(name);
      await exit(name, "boom");
    }
    const heard = [];
    while (heard.length < names.length * 2) heard.push(await events.next());
    for (const name of names) {
      expect(heard.filter((event) => event?.data["name"] === name).map((event) => event?.event)).toEqual([
        "created",
        "DOWN",
      ]);
    }
    await events.close();
  });

  it("resumes behind Last-Event-ID, each event once", async () => {
    const events = await follow("/events");
    await create("once-a");
    expect(await events.next()).toMatchObject({ event: "created", data: { name: "once-a" } });
    await events.close();
    await create("once-b");
    await create("once-c");
    const again = await follow("/events", events.lastId);
    const heard = [await again.next(), await again.next()].map((event) => event?.data["name"]);
    expect(new Set(heard)).toEqual(new Set(["once-b", "once-c"]));
    await again.close();
  });

  it("shows that it is alive", async () => {
    const events = await follow("/events");
    expect(await events.comment()).toBe(": still here");
    await events.close();
  });

  it("refuses a Last-Event-ID that is none", async () => {
    const response = await ask("/events", { headers: { "Last-Event-ID": "not an id" } });
    expect([response.status, await response.json()]).toMatchObject([400, { code: "cursor_invalid" }]);
  });

  it("is 410 where what came after Last-Event-ID is no longer kept", async () => {
    await create("expired");
    const events = await follow("/events");
    await events.close();
    await create("expired-next");
    // As the log does it, when it has grown over its limit.
    for (const name of ["expired", "expired-next"]) {
      await runInDurableObject(registryOf(name), (_, { storage }) => {
        storage.sql.exec("UPDATE events SET seq = seq + 1000000");
      });
    }
    const response = await ask("/events", { headers: { "Last-Event-ID": events.lastId } });
    expect([response.status, await response.json()]).toMatchObject([410, { code: "events_expired" }]);
    const monitor = await ask("/buckets/expired/monitor", { headers: { "Last-Event-ID": "1-abcd" } });
    expect(monitor.status).toBe(410);
  });
});

describe("a bucket's own reset", () => {
  it("does not fail the requests that arrive meanwhile", async () => {
    await create("asked-through", "permanent");
    await ask("/buckets/asked-through/keys/milk", { method: "PUT", body: "1" });
    const id = (await rowOf("asked-through"))?.id ?? "";
    await bucketOf(id).exit("boom");
    // Without waiting for it to be back.
    expect([200, 503]).toContain((await ask("/buckets/asked-through/keys/milk")).status);
    expect((await ask("/buckets/asked-through/keys/milk")).status).toBe(200);
  });
});
