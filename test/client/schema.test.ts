/** Values that a schema checks, when they are written and when they are read. */

import { describe, expect, expectTypeOf, it } from "vitest";
import * as z from "zod";
import { DecodeError, text, type StandardSchema } from "../../src/client/index.ts";
import { kv } from "./support/shared-kv.ts";

const User = z.object({ name: z.string().min(1), age: z.optional(z.int()) });

describe("a bucket with a schema", () => {
  const users = kv.bucket("schema-users", { schema: User, create: true });

  it("stores and returns what the schema accepts, with its type", async () => {
    await users.put("ann", { name: "Ann", age: 41 });
    const ann = await users.get("ann");
    expect(ann).toEqual({ name: "Ann", age: 41 });
    expectTypeOf(ann).toEqualTypeOf<{ name: string; age?: number | undefined } | undefined>();
  });

  it.each([
    ["put", (value: never) => users.put("bob", value)],
    ["update", (value: never) => users.update("bob", () => value)],
    ["batch", (value: never) => users.batch([{ op: "put", key: "bob", value }])],
    ["transaction", (value: never) => users.transaction({ then: [{ op: "put", key: "bob", value }] })],
  ])(
    "refuses another value in a %s, before anything is sent, and says where it is wrong",
    async (_, write) => {
      await expect(write({ name: "", age: 1.5 } as never)).rejects.toMatchObject({
        code: "value_invalid",
        message: expect.stringMatching(/name: .*; age: /),
      });
      expect(await users.has("bob")).toBe(false);
    },
  );

  it("reports a stored value that the schema refuses as undecodable, with its key", async () => {
    await kv.bucket("schema-users").put("old", { title: "Dr" });
    const error: unknown = await users.get("old").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DecodeError);
    expect(error).toMatchObject({ code: "value_undecodable", details: { key: "old" } });
    expect(((error as Error).cause as Error).message).toContain("name: ");
    await kv.bucket("schema-users").delete("old");
  });
});

describe("a schema that makes other values of what it is given", () => {
  const Setting = z.object({
    theme: z.string().default("light"),
    since: z.iso.date().transform((day) => new Date(day)),
  });
  const settings = kv.bucket("schema-settings", { schema: Setting, create: true });

  it("has its input stored and its output read", async () => {
    await settings.put("ann", { since: "2026-01-31" });
    expect(await kv.bucket("schema-settings").get("ann")).toEqual({ since: "2026-01-31" });
    const read = await settings.get("ann");
    expect(read).toEqual({ theme: "light", since: new Date("2026-01-31") });
    expectTypeOf(read).toEqualTypeOf<{ theme: string; since: Date } | undefined>();
    const put = (value: Parameters<typeof settings.put<string>>[1]) => settings.put("bob", value);
    expectTypeOf(put).parameter(0).toEqualTypeOf<{ theme?: string | undefined; since: string }>();
  });
});

describe("a schema over another codec", () => {
  it("checks what that codec stores", async () => {
    const notes = kv.bucket("schema-notes", { codec: text, schema: z.string().max(5), create: true });
    await notes.put("a", "short");
    expect(await notes.get("a")).toBe("short");
    await expect(notes.put("a", "too long")).rejects.toMatchObject({ code: "value_invalid" });
  });
});

describe("a schema of any library", () => {
  const refusing = (issues: readonly object[]): StandardSchema =>
    ({ "~standard": { version: 1, vendor: "test", validate: () => ({ issues }) } }) as never;

  it("may name the place of an issue by parts that are objects", async () => {
    const schema = refusing([{ message: "No good.", path: [{ key: "list" }, 3] }]);
    await expect(kv.bucket("schema-any", { schema }).put("a", 1)).rejects.toThrow("list.3: No good.");
  });

  it("that checks asynchronously is refused", async () => {
    const schema = {
      "~standard": { version: 1, vendor: "test", validate: async (value: unknown) => ({ value }) },
    } as const;
    await expect(kv.bucket("schema-any", { schema }).put("a", 1)).rejects.toMatchObject({
      code: "value_invalid",
      message: expect.stringContaining("asynchronously"),
    });
  });
});
