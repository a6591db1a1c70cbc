/** One suite for values, whichever way they are reached: each way is an adapter. Runs in workerd and in Node. */

import { describe, expect, it } from "vitest";

export interface PutOptions {
  readonly ttl?: number;
  readonly metadata?: unknown;
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
}

export interface SuiteEntry {
  readonly value: string;
  readonly revision: number;
  readonly etag: string;
  readonly metadata: unknown;
  readonly expires: Date | undefined;
}

/** A bucket's values. What goes wrong throws an error with a `code`. */
export interface Values {
  put(key: string, value: string, options?: PutOptions): Promise<void>;
  /** Undefined if the key is not there. */
  get(key: string): Promise<string | undefined>;
  delete(key: string, options?: Pick<PutOptions, "ifMatch">): Promise<void>;
  /** Undefined if the key is not there. */
  getAndDelete(key: string): Promise<string | undefined>;
  increment(key: string, options?: { readonly by?: number; readonly initial?: number }): Promise<bigint>;
  /** All keys with this prefix, in order. */
  keys(prefix: string): Promise<string[]>;
  /** What not every way can do. */
  readonly more?: MoreValues;
}

export interface MoreValues {
  entry(key: string): Promise<SuiteEntry | undefined>;
  list(query: {
    readonly prefix?: string;
    readonly start?: string;
    readonly end?: string;
    readonly reverse?: boolean;
    readonly limit?: number;
  }): Promise<string[]>;
  /** What came of each operation: `ok`, the value that was read, or the code. */
  batch(operations: readonly SuiteOperation[]): Promise<string[]>;
  transaction(transaction: {
    readonly if: readonly {
      readonly key: string;
      readonly exists?: boolean;
      readonly value?: string;
      readonly integer?: number;
      readonly is?: ">=";
    }[];
    readonly then: readonly SuiteOperation[];
    readonly else?: readonly SuiteOperation[];
  }): Promise<boolean>;
}

export type SuiteOperation =
  | { readonly op: "get" | "delete" | "getAndDelete" | "increment"; readonly key: string }
  | { readonly op: "put"; readonly key: string; readonly value: string };

/**
 * @param open a bucket of this name: an empty one, or one that is not there
 * @param now what time it is for the service, in milliseconds since the epoch
 */
export function valuesSuite(
  way: string,
  open: (bucket: string, state: "empty" | "missing") => Promise<Values>,
  now: () => number = Date.now,
): void {
  const slug = way.toLowerCase().replaceAll(/[^a-z]+/g, "-");
  const empty = (title: string): Promise<Values> => open(`values-${slug}-${title}`, "empty");
  const codeOf = async (work: () => Promise<unknown>): Promise<string> => {
    try {
      await work();
    } catch (error) {
      return (error as { readonly code: string }).code;
    }
    return "nothing was thrown";
  };

  describe(`values over ${way}`, () => {
    it("are there when they were put, and not when they were deleted", async () => {
      const values = await empty("basics");
      expect(await values.get("milk")).toBeUndefined();
      await values.put("milk", "1");
      expect(await values.get("milk")).toBe("1");
      await values.put("milk", "2");
      expect(await values.get("milk")).toBe("2");
      await values.delete("milk");
      await values.delete("milk");
      expect(await values.get("milk")).toBeUndefined();
    });

    it("are read and deleted at once, by one of many", async () => {
      const values = await empty("taken");
      await values.put("ticket", "7");
      const all = await Promise.all(Array.from({ length: 10 }, () => values.getAndDelete("ticket")));
      expect(all.filter((value) => value !== undefined)).toEqual(["7"]);
      expect(await values.getAndDelete("ticket")).toBeUndefined();
      expect(await values.keys("")).toEqual([]);
      expect(await codeOf(() => values.getAndDelete(""))).toBe("key_invalid");
    });

    it("may be empty, long, and of any character; so may keys", async () => {
      const values = await empty("characters");
      for (const text of [
        "",
        " ",
        "two words",
        '"quoted"',
        "line\nline",
        "é日本😀",
        "\u0000\u001f",
        "x".repeat(100_000),
      ]) {
        await values.put("value", text);
        expect(await values.get("value")).toBe(text);
      }
      const keys = ["a b", "a/b", "a%2Fb", "é日本😀", ".", "..", "?", "#", "a+b", '"', "k".repeat(1_024)];
      for (const key of keys) await values.put(key, key);
      for (const key of keys) expect(await values.get(key)).toBe(key);
    });

    it("count", async () => {
      const values = await empty("counters");
      expect(await values.increment("n")).toBe(1n);
      expect(await values.increment("n", { by: 41 })).toBe(42n);
      expect(await values.increment("n", { by: -43 })).toBe(-1n);
      await values.put("text", "much");
      expect(await codeOf(() => values.increment("text"))).toBe("not_an_integer");
      await values.put("full", "9223372036854775807");
      expect(await codeOf(() => values.increment("full"))).toBe("increment_overflow");
      expect(await values.get("full")).toBe("9223372036854775807");
    });

    it("have their keys in the order of UTF-8", async () => {
      const values = await empty("order");
      for (const key of ["b/2", "a", "😀", "\uffff", "b/1", "é"]) await values.put(key, "1");
      expect(await values.keys("")).toEqual(["a", "b/1", "b/2", "é", "\uffff", "😀"]);
      expect(await values.keys("b/")).toEqual(["b/1", "b/2"]);
    });

    it("of a bucket that is not there are nowhere", async () => {
      const values = await open(`values-${slug}-missing`, "missing");
      expect(await codeOf(() => values.get("a"))).toBe("bucket_not_found");
      expect(await codeOf(() => values.put("a", "1"))).toBe("bucket_not_found");
      expect(await codeOf(() => values.increment("a"))).toBe("bucket_not_found");
      expect(await codeOf(() => values.delete("a"))).toBe("bucket_not_found");
      expect(await codeOf(() => values.getAndDelete("a"))).toBe("bucket_not_found");
      expect(await codeOf(() => values.keys(""))).toBe("bucket_not_found");
    });

    it("are within their limits", async () => {
      const values = await empty("limits");
      expect(await codeOf(() => values.put("k".repeat(1_025), "1"))).toBe("key_too_long");
      expect(await codeOf(() => values.put("", "1"))).toBe("key_invalid");
      expect(await values.keys("")).toEqual([]);
    });

    /** What the text protocol can't say. */
    const richly = (title: string, test: (values: Values, more: MoreValues) => Promise<void>): void => {
      it(title, async ({ skip }) => {
        const values = await empty(title.replaceAll(/[^a-z]+/g, "-").slice(0, 40));
        if (values.more === undefined) return skip(`${way} has no words for it`);
        expect.hasAssertions();
        await test(values, values.more);
      });
    };

    richly("keep metadata and a time to live beside them", async (values, more) => {
      await values.put("a", "1", { metadata: { x: [1, "é"] }, ttl: 60 });
      const entry = await more.entry("a");
      expect(entry).toMatchObject({ value: "1", revision: 1, metadata: { x: [1, "é"] } });
      const left = Number(entry?.expires?.getTime()) - now();
      expect(Math.abs(left - 60_000)).toBeLessThan(120_000);
      await values.put("a", "2");
      expect(await more.entry("a")).toMatchObject({ revision: 2, metadata: undefined, expires: undefined });
      expect(await more.entry("nothing")).toBeUndefined();
      expect(await codeOf(() => values.put("a", "3", { metadata: "x".repeat(1_025) }))).toBe(
        "metadata_too_large",
      );
    });

    richly("are compared and set", async (values, more) => {
      await values.put("a", "1", { ifNoneMatch: "*" });
      expect(await codeOf(() => values.put("a", "2", { ifNoneMatch: "*" }))).toBe("precondition_failed");
      const { etag = "" } = (await more.entry("a")) ?? {};
      await values.put("a", "2", { ifMatch: etag });
      expect(await codeOf(() => values.put("a", "3", { ifMatch: etag }))).toBe("precondition_failed");
      expect(await codeOf(() => values.delete("a", { ifMatch: etag }))).toBe("precondition_failed");
      expect(await values.get("a")).toBe("2");
    });

    richly("are listed by range, forwards and backwards, as many as are asked for", async (values, more) => {
      for (const key of ["a", "b/1", "b/2", "b/3", "c"]) await values.put(key, "1");
      expect(await more.list({ start: "b/2", end: "c" })).toEqual(["b/2", "b/3"]);
      expect(await more.list({ prefix: "b/", reverse: true })).toEqual(["b/3", "b/2", "b/1"]);
      expect(await more.list({ limit: 2 })).toEqual(["a", "b/1"]);
    });

    richly("change in batches, each by itself", async (values, more) => {
      await values.put("text", "much");
      expect(
        await more.batch([
          { op: "put", key: "a", value: "1" },
          { op: "increment", key: "text" },
          { op: "increment", key: "a" },
          { op: "get", key: "a" },
          { op: "delete", key: "a" },
          { op: "get", key: "a" },
          { op: "getAndDelete", key: "text" },
          { op: "getAndDelete", key: "text" },
        ]),
      ).toEqual(["ok", "not_an_integer", "ok", "2", "ok", "absent", "much", "absent"]);
    });

    richly("change in transactions, all or nothing", async (values, more) => {
      await values.put("stock", "1");
      const buy = {
        if: [{ key: "stock", integer: 1, is: ">=" as const }],
        then: [{ op: "put" as const, key: "stock", value: "0" }],
        else: [{ op: "put" as const, key: "sold out", value: "yes" }],
      };
      expect([await more.transaction(buy), await more.transaction(buy)]).toEqual([true, false]);
      expect(await values.get("sold out")).toBe("yes");
      await values.put("text", "much");
      const failing = {
        if: [{ key: "text", value: "much" }],
        then: [
          { op: "put" as const, key: "half", value: "done" },
          { op: "increment" as const, key: "text" },
        ],
      };
      expect(await codeOf(() => more.transaction(failing))).toBe("not_an_integer");
      expect(await values.get("half")).toBeUndefined();
    });

    richly("of more than a megabyte come back as they were", async (values, more) => {
      const large = "0123456789abcdef".repeat(70_000);
      await values.put("large", large, { metadata: 1 });
      expect((await values.get("large")) === large).toBe(true);
      expect(await more.entry("large")).toMatchObject({ metadata: 1, revision: 1 });
      expect((await values.getAndDelete("large")) === large).toBe(true);
      expect(await values.keys("")).toEqual([]);
    });
  });
}
