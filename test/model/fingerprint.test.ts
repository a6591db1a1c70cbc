/** The fingerprint by which a repeated request is recognised. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { onceFor } from "../../src/model/idempotency.ts";
import { Remembered } from "../../src/store/idempotency.ts";

describe("a fingerprint", () => {
  const fingerprint = async (key: string, request: readonly unknown[]) =>
    (await onceFor(key, request))?.fingerprint;

  it("is short, however long the request, and the same for the same one only", async () => {
    const long = [{ value: "x".repeat(1_000_000) }];
    expect((await fingerprint("k", long))?.length).toBe("2:".length + 44);
    expect(await fingerprint("k", long)).toBe(await fingerprint("other", structuredClone(long)));
    expect(await fingerprint("k", long)).not.toBe(await fingerprint("k", [{ value: "y" }]));
    expect(await onceFor(undefined, long)).toBeUndefined();
  });

  it("is what it was: what a bucket has stored is compared with it, so another recipe has another number", async () => {
    const increment = [
      "increment",
      "n",
      { by: 2n, initial: 0n, lifetime: { ttl: 60 } },
      { ifMatch: ["a-1"] },
    ];
    expect(await fingerprint("k", increment)).toBe("2:NnYtr1wIgenLl4Wyp73qYqioTMxZBnA3/VKafAjuUEw=");
    const put = { op: "put", key: "a", value: new Uint8Array([255]).buffer, properties: { type: null } };
    expect(await fingerprint("k", ["transaction", { if: [], then: [put], else: [] }])).toBe(
      "2:Vw6aaPgwvI7698GMQX4cxhEYD+ycPg2qcSs+ed0SQVU=",
    );
  });

  it("of another recipe says nothing: the request is answered as before, and never called another one", async () => {
    await runInDurableObject(env.BUCKET.getByName("recipes"), (_, { storage: { sql } }) => {
      const remembered = new Remembered(sql, () => 0);
      remembered.createTable();
      const once = (key: string, sent: string) =>
        remembered.once({ key, fingerprint: sent }, () => "again").result;
      // Versions before had no number; the next one will have the next.
      for (const stored of ["jzTtb4cUXc3xUDxfCbSGuEZV0W6YvpmGgUhwOM58SfI=", "3:x"]) {
        remembered.once({ key: stored, fingerprint: stored }, () => "first");
        expect(once(stored, "2:y")).toBe("first");
      }
      remembered.once({ key: "2:x", fingerprint: "2:x" }, () => "first");
      expect(() => once("2:x", "2:y")).toThrow("another request");
    });
  });
});
