/** The schemas describe the rules that they check. */

import * as z from "zod/mini";
import { describe, expect, it } from "vitest";
import { ComparisonJson, IncrementJson, OperationJson } from "../../src/schema/operations.ts";
import { EntryLineJson } from "../../src/schema/entry-line.ts";
import { ask, bucket, codeOf, jsonOf, put } from "../support/http.ts";

describe("the description of a body", () => {
  const described = (schema: z.core.$ZodType): string =>
    JSON.stringify(z.toJSONSchema(schema, { io: "input" }));
  const once = '"oneOf":[{"required":["value"],';
  const lifetime = '"not":{"required":["ttl","expires"],';

  it("says that exactly one form of a value is given, and at most one lifetime", () => {
    for (const schema of [OperationJson, EntryLineJson]) {
      expect(described(schema)).toContain(once);
      expect(described(schema)).toContain(lifetime);
    }
    expect(described(IncrementJson)).toContain(lifetime);
    expect(described(ComparisonJson)).toContain('"oneOf":[{"required":["exists"],');
  });

  it("says that a list of tags can't have *", () => {
    const { anyOf } = JSON.parse(
      described(OperationJson)
        .replace(/^.*?"ifMatch":/, "")
        .replace(/,"ifNoneMatch".*$/, ""),
    ) as {
      anyOf: [{ pattern: string }, { items: { pattern: string } }];
    };
    const [one, several] = [new RegExp(anyOf[0].pattern), new RegExp(anyOf[1].items.pattern)];
    expect([one.test("*"), one.test("a-1"), one.test('"a-1"'), one.test("W/a")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([several.test("*"), several.test("a-1")]).toEqual([false, true]);
  });
});

describe("a number in a query string", () => {
  it("is written as in JSON", async () => {
    const b = await bucket("query numbers");
    for (const limit of ["1", "1e0", "10e-1", "1.0", "1E+2"]) {
      expect([limit, (await ask(`${b}/keys?limit=${encodeURIComponent(limit)}`)).status]).toEqual([
        limit,
        200,
      ]);
    }
    expect((await put(`${b}/keys/a?ttl=1e3`)).status).toBe(201);
    expect(await jsonOf(await ask(`${b}/keys`))).toMatchObject({
      keys: [{ expires: expect.any(String) as string }],
    });
  });

  it.each(["+1", " 1", "01", ".5", "1.", "0x1", "", "one", "Infinity", "1,5"])(
    "is refused in words of what was written, where it is none: %j",
    async (limit) => {
      const response = await ask(`query-numbers/keys?limit=${encodeURIComponent(limit)}`);
      const text = await response.clone().text();
      expect([response.status, await codeOf(response)]).toEqual([400, "query_invalid"]);
      expect(text).toContain("limit: a number is written as in JSON");
    },
  );

  it("is refused if it is too large, or not an integer where one is required", async () => {
    await bucket("query numbers");
    for (const limit of ["1e400", "0.5", "1e9", "-1", "1".repeat(400)]) {
      expect(await codeOf(await ask(`query-numbers/keys?limit=${limit}`))).toBe("query_invalid");
    }
    const flag = await ask("query-numbers/keys?values=1");
    expect(await flag.json()).toMatchObject({ detail: "values: expected true or false." });
  });
});
