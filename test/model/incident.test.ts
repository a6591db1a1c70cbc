/** Incidents: what is logged about one failed request has one id, which the caller hears. */

import { afterEach, beforeEach, describe, expect, it, vi, type Mock } from "vitest";
import { failureOf, KvError } from "../../src/model/errors.ts";
import { call } from "../../src/otp/call.ts";
import { Exit } from "../../src/otp/exit.ts";
import { create, isolate } from "../support/directories.ts";
import { bucketOf } from "../support/faults.ts";

let logged: Mock<typeof console.error>;
beforeEach(() => void (logged = vi.spyOn(console, "error").mockImplementation(() => undefined)));
afterEach(() => logged.mockRestore());

const INCIDENT = /incident ([0-9a-f-]{36})/;
const ids = (): (string | undefined)[] => logged.mock.calls.map(([line]) => INCIDENT.exec(String(line))?.[1]);

describe("an incident", () => {
  it("of a bucket that crashed is logged by its object and by the Worker under one id, which the caller hears", async () => {
    const id = await create(isolate().directory, "has-incident");
    const error = await call(() => bucketOf(id).crash("out of cheese")).catch((thrown: unknown) => thrown);
    const { code, detail } = failureOf(error);
    const [first, ...others] = ids();
    expect(first).toMatch(/./);
    expect(others).toEqual([first]);
    expect([code, INCIDENT.exec(detail)?.[1]]).toEqual(["crash", first]);
  });

  it("of a bucket that can't be reached, and of an unexpected error, has an id of its own each time", () => {
    const failures = [
      new Exit("noconnection", { cause: new Error("made up") }),
      new TypeError("made up"),
      new TypeError("made up"),
    ].map(failureOf);
    expect(failures.map(({ code }) => code)).toEqual(["unavailable", "crash", "crash"]);
    expect(failures.map(({ detail }) => INCIDENT.exec(detail)?.[1])).toEqual(ids());
    expect(new Set(ids()).size).toBe(3);
  });

  it("is none where nothing is logged: a refusal, a timeout, an overload", () => {
    for (const error of [
      new KvError("key_not_found", "no"),
      new Exit("timeout"),
      new Exit("noconnection", { overloaded: true }),
    ]) {
      expect(failureOf(error).detail).not.toMatch(INCIDENT);
    }
    expect(logged).not.toHaveBeenCalled();
  });
});
