/** What a bucket is created with, and what another create may say of it. */

import { afterEach, describe, expect, it } from "vitest";
import { setFailpointHook } from "../../src/otp/failpoint.ts";
import { isolate } from "../support/directories.ts";
import { armFailpoint, eventsOf, rowOf } from "../support/faults.ts";

afterEach(() => setFailpointHook());

const OPTIONS = { restart: "temporary", locationHint: "weur", metadata: '{"a":1}' } as const;

describe("a create", () => {
  it("with other options than the bucket has is refused, and changes nothing", async () => {
    const { directory } = isolate();
    const { registration } = await directory.create("options-differ", OPTIONS);
    await expect(directory.create("options-differ", { restart: "permanent" })).rejects.toMatchObject({
      code: "bucket_exists_differently",
    });
    expect(await directory.lookup("options-differ")).toMatchObject({ ...OPTIONS, id: registration.id });
    expect(await directory.create("options-differ", OPTIONS)).toMatchObject({ created: false });
  });

  it("is undone where it was cut off and is asked for otherwise: it was never answered", async () => {
    const { directory } = isolate();
    armFailpoint("create: object started, not confirmed", "throw");
    await directory.create("options-cut", OPTIONS).catch(() => undefined);
    const cut = await rowOf("options-cut");
    expect(cut).toMatchObject({ state: "starting", restart: "temporary" });
    expect(await directory.create("options-cut", { restart: "permanent" })).toMatchObject({ created: true });
    const row = await rowOf("options-cut");
    expect(row).toMatchObject({ state: "running", restart: "permanent", locationHint: null, metadata: null });
    expect(row?.incarnation).not.toBe(cut?.incarnation);
    expect((await eventsOf("options-cut")).map(({ kind }) => kind)).toEqual(["created"]);
  });

  it("that was cut off is undone too where it is asked for again without options: those are its own", async () => {
    const { directory } = isolate();
    armFailpoint("create: begun, object not started", "throw");
    await directory.create("options-again", OPTIONS).catch(() => undefined);
    const { incarnation } = (await rowOf("options-again")) ?? {};
    const { created, registration } = await directory.create("options-again");
    expect(created).toBe(true);
    expect(registration).toMatchObject({ restart: "permanent", locationHint: null, metadata: null });
    expect(registration.incarnation).not.toBe(incarnation);
  });
});
